// The page of an article that is being written: fragments and drafts come over a socket, or by asking where none gets through.
(() => {
  const ASK_EVERY = 3000; // milliseconds
  const QUIET = 20000; // milliseconds after which an open socket is not believed any more

  const state = () => document.getElementById("seq");
  const seq = () => Number(state().dataset.seq);
  const isActive = () => state().dataset.active === "yes";

  let connected = false;
  let lastHeard = Date.now();
  let asking = false;

  // Resuming: a socket opened anew asks for what came since.
  htmx.createWebSocket = (address) => new WebSocket(`${address}?after=${seq()}`);

  // Drafts: texts that grow, by the step that writes them. Shown once a frame, as text and nothing else.
  const drafts = new Map();
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

  // What an HTML message is newest of; one that tells nothing new is left out, so that no row of the log comes twice.
  const isNew = (html) => Number(/data-seq="(\d+)"/.exec(html)?.[1] ?? 0) > seq();

  const showConnection = () => {
    document.getElementById("connection").hidden = connected || !isActive();
  };
  const changed = () => {
    document.title = state().dataset.title;
    showConnection();
    paint();
    document.dispatchEvent(new Event("studio:changed"));
    if (!isActive()) document.getElementById("socket")?.remove(); // closes it, for good
  };
  const wasDeleted = () => {
    state().dataset.active = "no";
    location.assign("/");
  };

  document.addEventListener("htmx:wsOpen", () => {
    connected = true;
    lastHeard = Date.now();
    showConnection();
  });
  document.addEventListener("htmx:wsClose", () => {
    connected = false;
    if (isActive()) ask();
    showConnection();
  });
  document.addEventListener("htmx:wsBeforeMessage", (event) => {
    lastHeard = Date.now();
    const { message } = event.detail;
    if (!message.startsWith("{")) {
      if (!isNew(message)) event.preventDefault();
      return;
    }
    event.preventDefault();
    const told = JSON.parse(message);
    if (told.type === "draft") takeDraft(told);
    if (told.type === "final" && told.status === "deleted") wasDeleted();
  });
  document.addEventListener("htmx:wsAfterMessage", changed);

  // Where no socket gets through: the same fragments, asked for every few seconds.
  const ask = async () => {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(`${state().dataset.live}?after=${seq()}`, { headers: { "HX-Request": "true" } });
      if (answer.status === 404) return wasDeleted();
      if (answer.status === 200 && !answer.redirected) {
        const html = await answer.text();
        if (isNew(html)) htmx.swap(state(), html, { swapStyle: "none" });
        changed();
      }
      lastHeard = Date.now();
    } catch {
      // The network is away: the next look finds out whether it is back.
    } finally {
      asking = false;
    }
  };
  setInterval(() => {
    if (isActive() && (!connected || Date.now() - lastHeard > QUIET)) ask();
  }, ASK_EVERY);

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
