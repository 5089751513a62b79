// The parts of an article as tabs. Without this script they are sections in a column, and the tabs are links to them.
(() => {
  const list = document.getElementById("tabs");
  const tabs = [...list.querySelectorAll("a")];
  const panelOf = (tab) => document.getElementById(tab.hash.slice(1));

  const open = (chosen) => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      panelOf(tab).classList.toggle("is-open", tab === chosen);
    }
    // On a narrow screen the tabs scroll sideways; scrollIntoView would move the page, too.
    const [box, bar] = [chosen.getBoundingClientRect(), list.getBoundingClientRect()];
    if (box.left < bar.left || box.right > bar.right) list.scrollLeft += box.left - bar.left - (bar.width - box.width) / 2;
  };
  const choose = (tab) => {
    open(tab);
    history.replaceState(null, "", tab.hash);
    tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  // What the address names; if it is in a part that is loaded when it is first seen, that part.
  const targetOf = (id) =>
    document.getElementById(id) || [...document.querySelectorAll("[data-holds]")].find(({ dataset }) => id.startsWith(dataset.holds));
  // Opens the panel that the address names or points into, such as at a footnote or a passage in a closed details element.
  const follow = () => {
    const target = location.hash && targetOf(decodeURIComponent(location.hash.slice(1)));
    const panel = target && target.closest(".panel");
    if (!panel) return false;
    open(tabs.find((tab) => panelOf(tab) === panel));
    for (let folded = target.closest("details"); folded; folded = folded.parentElement.closest("details")) folded.open = true;
    (target === panel ? list : target).scrollIntoView({ block: "nearest" });
    return true;
  };
  const openFirst = () => open(tabs.find((tab) => tab.hash === `#${document.getElementById("seq").dataset.first}`));

  list.setAttribute("role", "tablist");
  for (const tab of tabs) {
    const panel = panelOf(tab);
    tab.id = `tab-${panel.id}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
  }
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("a");
    if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(tab);
  });
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const tab = tabs.at(to % tabs.length);
    tab.focus();
    choose(tab);
  });
  addEventListener("hashchange", follow);
  document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
    if (target.dataset.holds) document.addEventListener("htmx:afterSettle", follow, { once: true });
  });
  // When the run ends, readers who chose no tab and have not scrolled see the article.
  document.addEventListener("studio:changed", () => {
    if (!location.hash && scrollY < 300) openFirst();
  });
  if (!follow()) openFirst();
})();
