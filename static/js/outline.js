// The outline's editor: sections are moved, removed and added where they stand, and their words summed up as one types.
// Without this the same buttons send the form, and the page comes back with it done.
(() => {
  const form = document.getElementById("outline-editor");
  const cards = document.getElementById("outline-cards");
  const adding = document.getElementById("add-section");
  const sum = document.getElementById("outline-words");
  const { asked, leastWords, leastSections, mostSections } = Object.fromEntries(
    Object.entries(form.dataset).map(([name, value]) => [name, Number(value)]),
  );
  let unsaved = Boolean(document.getElementById("outline-problem"));
  let made = cards.children.length; // ids of cards are never given twice

  const numberOf = (card) => [...cards.children].indexOf(card) + 1;
  const say = (text) => {
    document.getElementById("outline-said").textContent = text;
  };
  const wordsOf = (card) => card.querySelector("[name=words]");

  // Words: what is given, and for sections that name none an even share of the rest.
  const addUp = () => {
    const fields = [...cards.children].map(wordsOf);
    const given = fields.map((field) => (/^\d{1,4}$/.test(field.value.trim()) ? Number(field.value) : 0));
    const blanks = given.filter((words) => !words).length;
    const rest = Math.max(0, asked - given.reduce((all, words) => all + words, 0));
    let blank = 0;
    const shares = given.map((words) => {
      if (words) return words;
      blank += 1;
      return Math.max(leastWords, Math.round((rest * blank) / blanks) - Math.round((rest * (blank - 1)) / blanks));
    });
    fields.forEach((field, at) => (field.placeholder = String(shares[at])));
    const total = shares.reduce((all, words) => all + words, 0);
    const format = (words) => words.toLocaleString("en-GB");
    const against = total === asked ? ", as requested" : `; ${format(asked)} requested`;
    sum.replaceChildren(Object.assign(document.createElement("b"), { textContent: format(total) }), ` words${against}`);
  };

  const renumber = () => {
    const count = cards.children.length;
    for (const card of cards.children) {
      const number = numberOf(card);
      for (const part of card.querySelectorAll("[data-numbered]")) {
        const text = part.dataset.numbered.replace("#", number);
        if (part.matches("button")) part.setAttribute("aria-label", text);
        else part.textContent = text;
      }
      card.querySelector("[data-move=up]").disabled = number === 1;
      card.querySelector("[data-move=down]").disabled = number === count;
      card.querySelector("[data-move=remove]").disabled = count <= leastSections;
    }
    adding.disabled = count >= mostSections;
    addUp();
  };
  const changed = (text) => {
    unsaved = true;
    renumber();
    say(text);
  };
  const mark = (card) => {
    for (const other of cards.children) other.classList.toggle("is-moved", other === card);
    card.scrollIntoView({ block: "nearest" });
  };

  const move = (card, button) => {
    const up = button.dataset.move === "up";
    if (up) card.previousElementSibling.before(card);
    else card.nextElementSibling.after(card);
    changed(`Now section ${numberOf(card)} of ${cards.children.length}`);
    mark(card);
    // What is moved loses the focus, and at an end of the list its button cannot be pressed again.
    (button.disabled ? card.querySelector(`[data-move=${up ? "down" : "up"}]`) : button).focus({ preventScroll: true });
  };
  const remove = (card) => {
    const number = numberOf(card);
    const next = card.nextElementSibling ?? card.previousElementSibling;
    card.remove();
    changed(`Section ${number} removed`);
    next.querySelector("[name=heading]").focus();
  };
  const add = () => {
    made += 1;
    const html = document.getElementById("empty-card").innerHTML.replaceAll(/-new\b/g, `-${made}`);
    cards.insertAdjacentHTML("beforeend", html);
    const card = cards.lastElementChild;
    changed(`Section ${numberOf(card)} added`);
    mark(card);
    card.querySelector("[name=heading]").focus({ preventScroll: true });
  };
  const shareOut = () => {
    for (const card of cards.children) wordsOf(card).value = "";
    changed("Words distributed evenly");
  };

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const card = button?.closest(".outline-card");
    if (button?.dataset.move === "remove") remove(card);
    else if (button?.dataset.move) move(card, button);
    else if (button === adding) add();
    else if (button?.id === "share") shareOut();
    else return;
    event.preventDefault();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
  });
  form.addEventListener("input", () => {
    unsaved = true;
    addUp();
  });
  document.addEventListener("submit", () => {
    unsaved = false;
  });
  addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });

  document.getElementById("outline-problem")?.focus();
  renumber();
})();
