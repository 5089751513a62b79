// Beside a finished text: its sections, the one being read marked; and long lists of references folded.
(() => {
  const SHOWN = 5; // references, as in the style sheet
  const contents = document.getElementById("contents");
  let watcher = null;

  const mark = (id) => {
    for (const link of contents.querySelectorAll("a")) {
      if (link.hash.slice(1) === encodeURIComponent(id)) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  const list = () => {
    watcher?.disconnect();
    const headings = [...document.querySelectorAll("#article-body .prose > h2[id]")];
    contents.replaceChildren();
    if (headings.length < 2) return;
    const items = headings.map((heading) => {
      const item = document.createElement("li");
      const link = Object.assign(document.createElement("a"), { href: `#${encodeURIComponent(heading.id)}` });
      link.textContent = heading.textContent;
      item.append(link);
      return item;
    });
    const rows = document.createElement("ol");
    rows.append(...items);
    contents.append(rows);
    // The section being read is the last one whose heading has passed the upper third of the window.
    const follow = () => mark((headings.findLast((heading) => heading.getBoundingClientRect().top < innerHeight / 3) ?? headings[0]).id);
    watcher = new IntersectionObserver(follow, { rootMargin: "0px 0px -66% 0px" });
    for (const heading of headings) watcher.observe(heading);
    mark(headings[0].id);
  };

  const unfold = () => {
    for (const rows of document.querySelectorAll(".footnotes ol.is-folded")) {
      rows.classList.remove("is-folded");
      rows.nextElementSibling?.remove();
    }
  };
  const fold = () => {
    const rows = document.querySelector("#article-body .footnotes > ol:not([data-folded])");
    const hidden = (rows?.children.length ?? 0) - SHOWN;
    if (hidden < 2) return;
    rows.dataset.folded = "";
    rows.classList.add("is-folded");
    const button = Object.assign(document.createElement("button"), { type: "button", className: "plain-button" });
    button.textContent = `Show ${hidden} more`;
    button.addEventListener("click", () => {
      unfold();
      const next = rows.children[SHOWN];
      next.tabIndex = -1;
      next.focus({ preventScroll: true });
    });
    rows.after(button);
  };
  const prepare = () => {
    list();
    fold();
  };
  // A reference leads to its footnote, which may be folded: before the browser goes there.
  document.addEventListener("click", ({ target }) => {
    if (target.closest(".footnote-ref a")) unfold();
  });
  document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
    if (detail.target?.id === "article-body" || detail.elt?.id === "article-body") prepare();
  });
  prepare();
  if (/-fn\d+$/.test(location.hash)) {
    unfold();
    document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "nearest" });
  }
})();
