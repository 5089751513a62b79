// The page of an article that is being written: fragments and drafts come over a socket, or by asking where none gets through.
(() => {
  // Milliseconds
  const ASK_EVERY = 3000; // where no socket gets through although the server answers
  const QUIET = 12000; // the server says something every five seconds: a socket that is silent for so long is dead
  const OPENING = 4000; // so long may a socket take to open
  const soon = () => 300 + 500 * Math.random(); // spreads the pages of a server that comes back

  const state = () => document.getElementById("seq");
  const seq = () => Number(state().dataset.seq);
  const isActive = () => state().dataset.active === "yes";

  let socket = null;
  let line = null; // the extension's side of the socket: opens another
  let lastHeard = Date.now();
  let triedAt = 0;
  let timer = null; // set while the page waits to bring the socket back
  let asking = false;
  let over = false; // signed out, or deleted: there is nothing to come back to

  // Resuming: a socket opened anew asks for what came since. When that is to be done is decided below, not by the extension.
  htmx.config.wsReconnectDelay = () => 2 ** 31 - 1;
  htmx.createWebSocket = (address) => {
    lastHeard = Date.now();
    socket = new WebSocket(`${address}?after=${seq()}`);
    return socket;
  };
  const isWell = () => {
    const silence = Date.now() - lastHeard;
    return [silence < OPENING, silence < QUIET][socket?.readyState] ?? false; // connecting, open
  };

  // Drafts: texts that grow, by the step that writes them. Shown once a frame, as text and nothing else.
  // What a section said before is shown (by the style sheet) until the first of its new text comes.
  const drafts = new Map();
  const begun = new Map(); // step → when it was begun, as the page knows it
  let painting = false;

  const paint = () => {
    painting = false;
    for (const [step, text] of drafts) {
      const box = document.querySelector(`.stream[data-step="${CSS.escape(step)}"]`);
      if (!box) continue; // not begun yet on this page, or finished
      const shown = box.textContent;
      if (text === shown) continue;
      if (text.startsWith(shown)) box.append(text.slice(shown.length));
      else box.textContent = text;
    }
  };
  const paintSoon = () => {
    if (painting) return;
    painting = true;
    requestAnimationFrame(paint);
  };
  const takeDraft = ({ step, offset, text }) => {
    const known = drafts.get(step) ?? "";
    if (offset > known.length) return; // came late: the whole text is sent again soon
    drafts.set(step, known.slice(0, offset) + text);
    paintSoon();
  };

  // A step that is begun anew writes anew, and one that was stopped left nothing: what was seen of its text before is void.
  const dropOldDrafts = () => {
    const now = new Map([...document.querySelectorAll(".stream")].map(({ dataset }) => [dataset.step, dataset.begun]));
    for (const [step, before] of begun) {
      if (now.get(step) === before) continue;
      drafts.delete(step);
      begun.delete(step);
    }
    for (const [step, at] of now) begun.set(step, at);
  };

  // What an HTML message is newest of; one that tells nothing new is left out, so that no row of the log comes twice.
  const isNew = (html) => Number(/data-seq="(\d+)"/.exec(html)?.[1] ?? 0) > seq();

  const showConnection = () => {
    document.getElementById("connection").hidden = (isWell() && socket.readyState === WebSocket.OPEN) || !isActive();
  };
  const changed = () => {
    document.title = state().dataset.title;
    showConnection();
    dropOldDrafts();
    paint();
    document.dispatchEvent(new Event("studio:changed"));
  };
  // What is on the page stays, to be read or copied; nothing can be done with it any more.
  const wasDeleted = () => {
    if (over) return;
    over = true;
    state().dataset.active = "no";
    const badge = document.querySelector("#header .badge");
    badge.className = "badge is-deleted";
    badge.dataset.status = "deleted";
    badge.textContent = "Deleted";
    document.querySelector("#header .actions").remove();
    document.querySelector("#timeline").remove();
    document.getElementById("notices").replaceChildren(document.getElementById("deleted").content.cloneNode(true));
    document.title = "Deleted – Content Studio";
    showConnection();
  };
  const wasSignedOut = () => {
    over = true;
    document.querySelector("#connection span").textContent = "You are signed out. Load this page again to sign in.";
  };

  dropOldDrafts();

  // The same fragments, asked for: gives whether the server answered.
  const ask = async () => {
    if (asking) return false;
    asking = true;
    const asked = seq();
    try {
      const url = `${state().dataset.live}?after=${asked}`;
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(5000) });
      if (answer.status === 404) wasDeleted();
      if (answer.redirected) wasSignedOut();
      if (!answer.ok || answer.redirected) return false;
      const html = await answer.text();
      if (seq() === asked && isNew(html)) htmx.swap(state(), html, { swapStyle: "none" });
      changed();
      return true;
    } catch {
      return false; // the network or the server is away
    } finally {
      asking = false;
    }
  };

  // Until the socket is well again the page asks, and opens another as soon as it is answered.
  const bringBack = async () => {
    clearTimeout(timer);
    timer = null;
    if (isWell() || over) return;
    showConnection();
    const answered = await ask();
    if (isWell() || over || !isActive() || timer) return;
    if (answered && line && Date.now() - triedAt >= ASK_EVERY) {
      triedAt = Date.now();
      line.reconnect();
    } else {
      timer = setTimeout(bringBack, answered ? ASK_EVERY : soon());
    }
  };
  const wake = () => {
    if (document.visibilityState === "visible") bringBack();
  };
  setInterval(() => {
    if (isActive() && !timer && !asking && !isWell()) bringBack(); // it fell silent, or the computer was asleep
  }, 500);
  document.addEventListener("visibilitychange", wake);
  addEventListener("pageshow", wake);
  addEventListener("online", wake);

  document.addEventListener("htmx:wsOpen", ({ detail }) => {
    line = detail.socketWrapper;
    if (detail.event.target !== socket) return detail.event.target.close(); // given up, and too late
    lastHeard = Date.now();
    clearTimeout(timer);
    timer = null;
    showConnection();
  });
  document.addEventListener("htmx:wsClose", ({ detail }) => {
    line = detail.socketWrapper;
    if (detail.event.target !== socket || !isActive()) return;
    showConnection();
    timer ??= setTimeout(bringBack, soon());
  });
  document.addEventListener("htmx:wsBeforeMessage", (event) => {
    lastHeard = Date.now();
    const { message } = event.detail;
    if (!message.startsWith("{")) {
      if (!isNew(message)) event.preventDefault();
      return;
    }
    event.preventDefault();
    const data = JSON.parse(message);
    if (data.type === "drafts") data.drafts.forEach(takeDraft);
    if (data.type === "final" && data.status === "deleted") wasDeleted();
  });
  document.addEventListener("htmx:wsAfterMessage", changed);

  // What was asked for and what was told may overlap: a row of the log that is there already does not come again.
  document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
    if (detail.target.id !== "log-table") return;
    const newest = Number(detail.target.rows[detail.target.rows.length - 1].cells[0].textContent) || 0;
    for (const row of detail.fragment.querySelectorAll("tr")) {
      if (Number(row.cells[0].textContent) <= newest) row.remove();
    }
  });

  // A fragment that replaces what has the focus gives it back.
  let focused = null;
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const active = document.activeElement;
    focused = event.detail.target.contains(active) ? active.id : null;
  });
  document.addEventListener("htmx:oobAfterSwap", () => {
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    focused = null;
  });
})();
