// On every page: menus, dialogs, short messages, copying, and times in the reader's zone.
(() => {
  // A menu closes on Escape, on a click elsewhere, and when the focus leaves it.
  const close = (menu) => {
    menu.open = false;
  };
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target) || event.target.closest(".menu-list a, .menu-list button")) close(menu);
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
    if (!menu) return;
    close(menu);
    menu.querySelector("summary").focus();
  });
  document.addEventListener("focusout", (event) => {
    const menu = event.target.closest("details.menu[open]");
    if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) close(menu);
  });

  // Dialogs. Without JavaScript the link leads to a page that asks the same.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    const closer = event.target.closest("dialog [data-close]");
    if (opener) open(document.getElementById(opener.dataset.opens), opener);
    if (closer) closer.closest("dialog").close();
    if (event.target.matches("dialog")) event.target.close(); // the backdrop
    if (opener || closer) event.preventDefault();
  });
  // A link in a menu cannot take the focus back once the menu is closed: the menu's button takes it.
  const open = (dialog, opener) => {
    const button = opener.closest("details.menu")?.querySelector("summary") ?? opener;
    dialog.addEventListener("close", () => button.focus(), { once: true });
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  };

  // Short messages. An error stays until it is closed.
  let hiding;
  const say = (text, isError = false) => {
    const toast = document.getElementById("toast");
    const clear = () => toast.replaceChildren();
    toast.textContent = text;
    toast.classList.toggle("is-bad", isError);
    clearTimeout(hiding);
    if (isError) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
      button.addEventListener("click", clear);
      toast.append(button);
    } else {
      hiding = setTimeout(clear, 4000);
    }
  };
  document.addEventListener("studio:toast", ({ detail }) => say(detail.text, detail.isError));

  // Signing out leaves no drafts behind for the next user of this browser.
  document.addEventListener("submit", ({ target }) => {
    if (target.id !== "sign-out") return;
    try {
      for (const key of Object.keys(localStorage)) if (/^studio-(brief|text) /.test(key)) localStorage.removeItem(key);
    } catch {
      // storage is blocked: there are none
    }
  });

  // Copying.
  const copy = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // Without HTTPS there is no navigator.clipboard.
    const area = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("the browser refused");
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    try {
      await copy(source.value ?? source.textContent);
      say(button.dataset.said);
    } catch {
      say("The browser did not allow copying. Select the text and copy it yourself.");
    }
  });

  // Times: rendered in the server's zone, shown in the reader's.
  const clock = (seconds) => {
    const part = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return hours ? `${hours}:${part(minutes)}:${part(seconds % 60)}` : `${minutes}:${part(seconds % 60)}`;
  };
  const tick = () => {
    for (const time of document.querySelectorAll("time.ticking")) {
      time.textContent = clock(Math.max(0, Math.floor((Date.now() - new Date(time.dateTime)) / 1000)));
    }
  };
  const localise = () => {
    for (const time of document.querySelectorAll("time.local-time:not([title])")) {
      const moment = new Date(time.dateTime);
      time.textContent = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
      time.title = moment.toLocaleString();
    }
  };
  const refresh = () => {
    tick();
    localise();
  };
  document.addEventListener("htmx:load", refresh);
  document.addEventListener("studio:changed", refresh);
  setInterval(tick, 1000);
  refresh();
})();
