// Ctrl+K: every action of the page, the places it leads to, and articles by title.
(() => {
  const dialog = document.getElementById("palette");
  const input = document.getElementById("palette-input");
  const list = document.getElementById("palette-list");
  const groups = { commands: document.getElementById("palette-commands"), places: document.getElementById("palette-places") };
  const none = document.getElementById("palette-none");
  const count = document.getElementById("palette-count");

  // The controls themselves are the commands: whatever a page offers is listed, and runs as if it were clicked.
  const COMMANDS = "main :is(.actions, .menu-list, .change-bar, .editor) :is(a[href], button), main form button[type=submit]";
  const PLACES = "#tabs a, #article-body .prose h2[id], .top-links > a, #account-menu :is(a, button), .theme-button";
  const LEFT_OUT = "dialog *, .restore, .crumbs *, .prose :not(h2), [data-unlisted]";

  const isOffered = (element) => {
    if (element.disabled || element.hidden || element.matches(LEFT_OUT)) return false;
    const menu = element.closest("details.menu");
    return menu ? menu.checkVisibility() : element.matches(".prose h2") || element.checkVisibility();
  };
  const nameOf = (element) => (element.dataset.command ?? element.getAttribute("aria-label") ?? element.textContent).replace(/\s+/g, " ").trim();
  const hintOf = (element) => {
    if (element.matches("#tabs a")) return "Tab";
    if (element.matches(".prose h2")) return "Section";
    return element.getAttribute("aria-keyshortcuts")?.replace("Control", "Ctrl") ?? "";
  };

  let numbered = 0;
  const fill = (group, selector) => {
    for (const option of group.querySelectorAll("[role=option]")) option.remove();
    const names = new Set();
    for (const element of document.querySelectorAll(selector)) {
      const name = isOffered(element) && nameOf(element);
      if (!name || names.has(name)) continue;
      names.add(name);
      const option = document.createElement("div");
      Object.assign(option, { id: `palette-option-${(numbered += 1)}`, target: element, textContent: name });
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      const hint = hintOf(element);
      if (hint) option.append(Object.assign(document.createElement("span"), { className: "palette-hint", textContent: hint }));
      group.append(option);
    }
  };

  const options = () => [...list.querySelectorAll("[role=option]:not([hidden])")];
  const select = (chosen) => {
    for (const option of list.querySelectorAll("[aria-selected=true]")) option.setAttribute("aria-selected", "false");
    if (!chosen) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    chosen.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", chosen.id);
    chosen.scrollIntoView({ block: "nearest" });
  };
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const option of list.querySelectorAll("div[role=option]")) {
      const name = option.textContent.toLowerCase();
      option.hidden = !words.every((word) => name.includes(word));
    }
    const found = options();
    none.hidden = found.length > 0;
    count.textContent = `${found.length} result${found.length === 1 ? "" : "s"}`;
    select(found[0]);
  };

  const open = () => {
    if (document.querySelector("dialog[open]")) return;
    fill(groups.commands, COMMANDS);
    fill(groups.places, PLACES);
    input.value = "";
    dialog.showModal();
    input.focus();
    filter();
    input.dispatchEvent(new Event("studio:palette"));
  };
  const run = (option) => {
    if (!option) return;
    if (option.matches("a")) {
      option.click();
      return;
    }
    const { target } = option;
    dialog.close();
    if (target.matches("h2")) {
      location.hash = target.id;
      target.scrollIntoView();
    } else if (target.isConnected) {
      target.click();
    } else {
      document.dispatchEvent(new CustomEvent("studio:toast", { detail: { text: "This is no longer possible." } }));
    }
  };

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    if (event.defaultPrevented) return; // an editor has taken it
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  });
  // Error pages have no bar at the top.
  document.getElementById("palette-open")?.addEventListener("click", open);
  input.addEventListener("input", filter);
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target?.id === "palette-articles" && dialog.open) filter();
  });
  input.addEventListener("keydown", (event) => {
    const found = options();
    const at = found.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") select(found[(at + 1) % found.length]);
    else if (event.key === "ArrowUp") select(found[(at - 1 + found.length) % found.length]);
    else if (event.key === "Enter") run(found[at]);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("div[role=option]");
    if (option) run(option);
  });
})();
