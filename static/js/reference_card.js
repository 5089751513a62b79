// In the margin of a wide page: what a reference names, while one points at it or reaches it with the keyboard.
// The same text is in the list of references, where the link leads: the card is hidden from screen readers.
(() => {
  const wide = matchMedia("(min-width: 75rem)"); // as in the style sheet
  const panel = document.getElementById("article");
  const card = Object.assign(document.createElement("aside"), { className: "reference-card", hidden: true });
  card.setAttribute("aria-hidden", "true");
  panel.append(card);

  const line = (className, text) => Object.assign(document.createElement("p"), { className, textContent: text });
  const referenceOf = (target) => target.closest?.("#article-body .footnote-ref a");
  // The mark of its sentence, if that ends here. The next mark may be that of another sentence.
  const verdictOf = (link) => {
    let next = link.closest(".footnote-ref").nextSibling;
    while (next?.matches?.(".footnote-ref")) next = next.nextSibling;
    return next?.matches?.(".evidence-link") ? next.getAttribute("aria-label").split(":")[0] : "";
  };

  const show = (link) => {
    const footnote = document.getElementById(link.hash.slice(1));
    if (!footnote || !wide.matches) return;
    const source = footnote.cloneNode(true);
    for (const back of source.querySelectorAll(".footnote-backref")) back.remove();
    if (link.title) {
      link.dataset.quote = link.title; // the browser would show it, too
      link.removeAttribute("title");
    }
    const verdict = verdictOf(link);
    card.replaceChildren(line("reference-source", source.textContent.trim()));
    if (link.dataset.quote) card.append(line("reference-quote", link.dataset.quote));
    if (verdict) card.append(line("reference-verdict", verdict));
    card.hidden = false;
    const top = link.getBoundingClientRect().top - panel.getBoundingClientRect().top;
    card.style.top = `${Math.max(0, Math.min(top - 12, panel.offsetHeight - card.offsetHeight))}px`;
  };
  const hide = (link) => {
    card.hidden = true;
    if (link.dataset.quote) link.title = link.dataset.quote;
  };
  for (const [on, off] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
    document.addEventListener(on, ({ target }) => {
      const link = referenceOf(target);
      if (link) show(link);
    });
    document.addEventListener(off, ({ target }) => {
      const link = referenceOf(target);
      if (link) hide(link);
    });
  }
})();
