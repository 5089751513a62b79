// The outline editor: moves, removes and adds sections in place. Without it, the same buttons submit the form.
(() => {
  const form = () => document.getElementById("outline-editor");
  const cards = () => document.getElementById("outline-cards");
  const problem = () => document.getElementById("outline-problem");
  let unsaved = Boolean(problem());
  let made = cards().children.length; // ids of cards are never reused

  const numberOf = (card) => [...cards().children].indexOf(card) + 1;
  const say = (text) => {
    document.getElementById("outline-said").textContent = text;
  };
  const wordsOf = (card) => card.querySelector("[name=words]");

  const renumber = () => {
    const count = cards().children.length;
    const { leastSections, mostSections } = form().dataset;
    for (const card of cards().children) {
      const number = numberOf(card);
      for (const part of card.querySelectorAll("[data-numbered]")) {
        const text = part.dataset.numbered.replace("#", number);
        if (part.matches("button")) part.setAttribute("aria-label", text);
        else part.textContent = text;
      }
      card.querySelector("[data-move=up]").disabled = number === 1;
      card.querySelector("[data-move=down]").disabled = number === count;
      card.querySelector("[data-move=remove]").disabled = count <= Number(leastSections);
    }
    document.getElementById("add-section").disabled = count >= Number(mostSections);
  };
  // The server computes the share of each section without a number: it is the section's placeholder.
  const showShares = () => {
    const shares = document.getElementById("outline-words").dataset.shares.split(" ");
    [...cards().children].forEach((card, index) => (wordsOf(card).placeholder = shares[index] ?? ""));
  };
  const changed = (text) => {
    unsaved = true;
    renumber();
    say(text);
    document.dispatchEvent(new Event("studio:outline-changed"));
  };
  const mark = (card) => {
    for (const other of cards().children) other.classList.toggle("is-moved", other === card);
    card.scrollIntoView({ block: "nearest" });
  };

  const move = (card, button) => {
    const up = button.dataset.move === "up";
    if (up) card.previousElementSibling.before(card);
    else card.nextElementSibling.after(card);
    changed(`Now section ${numberOf(card)} of ${cards().children.length}`);
    mark(card);
    // Moving drops the focus, and at an end of the list the button is disabled.
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
    cards().insertAdjacentHTML("beforeend", html);
    const card = cards().lastElementChild;
    changed(`Section ${numberOf(card)} added`);
    mark(card);
    card.querySelector("[name=heading]").focus({ preventScroll: true });
  };
  const distribute = () => {
    for (const card of cards().children) wordsOf(card).value = "";
    changed("Words distributed evenly");
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("#outline-editor button");
    const card = button?.closest(".outline-card");
    if (button?.dataset.move === "remove") remove(card);
    else if (button?.dataset.move) move(card, button);
    else if (button?.id === "add-section") add();
    else if (button?.id === "share") distribute();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("#outline-editor input")) event.preventDefault();
  });
  document.addEventListener("input", ({ target }) => {
    if (form().contains(target)) unsaved = true;
  });
  addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });

  document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
    if (detail.xhr.getResponseHeader("HX-Redirect")) unsaved = false; // accepted, or cancelled
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target?.id === "outline-words") return showShares();
    if (detail.target?.id !== "outline-editor") return;
    renumber();
    problem()?.focus();
  });

  problem()?.focus();
  renumber();
})();
