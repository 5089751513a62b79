// The card of a citation in the editor: the verdict, and the passages with their sources. All text is set as text.
(() => {
  const editor = window.studioEditor;
  const ICONS = { supported: "✓", partly: "◐", not: "✗", edited: "○", uncited: "+", unchecked: "·", undefined: "?" };

  const make = (tag, className, text = "") => Object.assign(document.createElement(tag), { className, textContent: text });
  const button = (text, act) => {
    const made = make("button", "card-button", text);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  };
  const isLink = (url) => /^https?:\/\//.test(url ?? "");

  const sourceOf = ({ id, source, link, page, url }) => {
    const known = editor.passages?.get(id);
    const title = known?.source.title || source || "Untitled";
    const details = [known?.source.publisher, known?.source.date, page && `page ${page}`].filter(Boolean).join(" · ");
    const line = make("p", "card-source");
    const name = isLink(link || url) ? make("a", "", title) : make("span", "", title);
    if (name.href !== undefined) Object.assign(name, { href: link || url, target: "_blank", rel: "noopener noreferrer" });
    line.append(name);
    if (details) line.append(make("span", "card-details", details));
    return line;
  };

  // `shown` is what the card is about; `actions` are what its buttons do.
  editor.cardOf = ({ label, state, title, reason, passages, entry }, { close, define }) => {
    const card = make("section", `card is-${state}`);
    card.setAttribute("aria-label", label ? `Reference ${label}` : "Claim");
    const head = make("div", "card-head");
    const icon = make("span", "card-icon", ICONS[state]);
    icon.setAttribute("aria-hidden", "true");
    const words = make("p", "");
    words.append(make("strong", "", `${title}.`), ` ${reason}`);
    head.append(icon, words, button("Close", close));
    card.append(head);
    if (state === "undefined") card.append(button(`Add the footnote [^${label}]`, define));
    for (const passage of passages) {
      const quote = make("blockquote", "", passage.text);
      quote.lang = "";
      card.append(quote, sourceOf(passage));
    }
    if (!passages.length && entry) card.append(make("p", "card-entry", entry));
    return card;
  };
})();
