// The page of an article that is being written. Fragments and drafts arrive over a socket; if none can be opened, the page polls.
(() => {
  // Milliseconds
  const POLL_EVERY = 3000; // if no socket can be opened although the server answers
  const QUIET = 12000; // the server sends something every five seconds: a socket silent for this long is dead
  const OPENING = 4000; // time-out for opening a socket
  const soon = () => 300 + 500 * Math.random(); // spreads the reconnects to a restarted server

  const state = () => document.getElementById("seq");
  const seq = () => Number(state().dataset.seq);
  const isActive = () => state().dataset.active === "yes";

  let socket = null;
  let wrapper = null; // the extension's object for the socket, which can reconnect
  let lastHeard = Date.now();
  let triedAt = 0;
  let timer = null; // set while the page waits to reconnect
  let isPolling = false;
  let isOver = false; // deleted: there is nothing to reconnect to
  let isSignedOut = false;

  // A reopened socket asks for what is newer than the page. This script decides when to reconnect, not the extension.
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

  // Drafts: streamed text by step, painted once per frame, as plain text.
  // The style sheet shows a section's previous text until the first new text arrives.
  const drafts = new Map();
  const begun = new Map(); // step → when it started, as the page knows it
  let painting = false;

  const lineCounts = new Map(); // step → how many lines were shown: only further ones slide in

  const paintText = (box, text) => {
    const shown = box.textContent;
    if (text === shown) return;
    if (text.startsWith(shown)) box.append(text.slice(shown.length));
    else box.textContent = text;
  };
  // Findings and headings: an element for each line.
  const paintLines = (box, text, step) => {
    const lines = text.split("\n").filter((line) => line.trim());
    const before = lineCounts.get(step) ?? 0;
    lines.forEach((line, at) => {
      if (!box.children[at]) {
        box.append(document.createElement(box.matches("ul") ? "li" : "p"));
        box.lastElementChild.classList.toggle("is-new", at >= before);
      }
      if (box.children[at].textContent !== line) box.children[at].textContent = line;
    });
    while (box.children.length > lines.length) box.lastElementChild.remove();
    lineCounts.set(step, Math.max(before, lines.length));
  };
  // A draft of all sections, in which each begins with a line such as “## 3. Heading”. Part 0 is what stands above them: a line
  // such as “# Title”, and the introduction. A line that may become a heading is not shown before it is one.
  const paintPart = (box, text) => {
    const whole = text.replace(/(^|\n)#{1,2}[ \t]*\d*$/, "");
    const found = [...whole.matchAll(/^##[ \t]*(\d{1,2})(?!\d)[.):]?[ \t]*([^\n]*)$/gm)];
    const at = found.findIndex(([, number]) => number === box.dataset.part);
    const isOpening = box.dataset.part === "0";
    const above = isOpening && whole.slice(0, found[0]?.index).match(/^\s*(?:#[ \t]+([^\n]*))?([^]*)$/);
    const [heading, part] = isOpening
      ? [above[1], above[2]]
      : at < 0
        ? ["", ""]
        : [found[at][2], whole.slice(found[at].index + found[at][0].length, found[at + 1]?.index)];
    if (heading?.trim() && "renames" in box.dataset) {
      box.closest(".draft-section").querySelector("h3").textContent = heading.trim();
    }
    box.classList.toggle("is-current", isOpening ? text.trim() !== "" && !found.length : at >= 0 && at === found.length - 1);
    paintText(box, part.trim());
  };
  const paint = () => {
    painting = false;
    for (const [step, text] of drafts) {
      const name = CSS.escape(step);
      // None: not started yet on this page, or finished.
      for (const box of document.querySelectorAll(`.stream[data-step="${name}"]`)) {
        if (box.dataset.part) paintPart(box, text);
        else paintText(box, text);
      }
      for (const box of document.querySelectorAll(`.stream-lines[data-step="${name}"]`)) paintLines(box, text, step);
    }
    markFindings();
  };
  // The findings of the sections that are being written stand out.
  const markFindings = () => {
    for (const card of document.querySelectorAll(".finding")) {
      const section = document.getElementById(`section-${card.dataset.section}`);
      card.classList.toggle("is-in-use", Boolean(section?.matches(".is-writing, :has(.is-current)")));
    }
  };
  const paintSoon = () => {
    if (painting) return;
    painting = true;
    requestAnimationFrame(paint);
  };
  const takeDraft = ({ step, offset, text }) => {
    const known = drafts.get(step) ?? "";
    if (offset > known.length) return; // a gap: the whole text is sent again soon
    drafts.set(step, known.slice(0, offset) + text);
    paintSoon();
  };

  // Drops the text streamed for steps that were restarted or stopped.
  const dropOldDrafts = () => {
    const boxes = [...document.querySelectorAll(".stream, .stream-lines")];
    const now = new Map(boxes.map(({ dataset }) => [dataset.step, dataset.begun]));
    for (const [step, before] of begun) {
      if (now.get(step) === before) continue;
      drafts.delete(step);
      lineCounts.delete(step);
      begun.delete(step);
    }
    for (const [step, at] of now) begun.set(step, at);
  };

  // Whether a message is newer than the page. Others are dropped, so that no row of the log appears twice.
  // At the end of a run its events come first, without a data-seq: until the panels follow, the page is at its last state.
  const isNew = (html) => Number(/data-(?:seq|event)="(\d+)"/.exec(html)?.[1] ?? 0) > seq();

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
  // The page keeps its texts, to be read or copied, and loses its actions.
  const wasDeleted = () => {
    if (isOver) return;
    isOver = true;
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
  document.addEventListener("studio:signed-out", () => (isSignedOut = true));
  document.addEventListener("studio:resumed", () => {
    isSignedOut = false;
    reconnect();
  });

  dropOldDrafts();
  markFindings();

  // Fetches the fragments the socket would have sent. True if the server answered.
  const poll = async () => {
    if (isPolling) return false;
    isPolling = true;
    const asked = seq();
    try {
      const url = `${state().dataset.live}?after=${asked}`;
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(5000) });
      if (answer.status === 404) wasDeleted();
      if (answer.status === 401) document.dispatchEvent(new Event("studio:session-ended"));
      if (!answer.ok) return false;
      const html = await answer.text();
      if (seq() === asked && isNew(html)) htmx.swap(state(), html, { swapStyle: "none" });
      changed();
      return true;
    } catch {
      return false; // the network or the server is away
    } finally {
      isPolling = false;
    }
  };

  // Polls until the socket is open again, and opens another as soon as the server answers.
  const reconnect = async () => {
    clearTimeout(timer);
    timer = null;
    if (isWell() || isOver || isSignedOut) return;
    showConnection();
    const answered = await poll();
    if (isWell() || isOver || isSignedOut || !isActive() || timer) return;
    if (answered && wrapper && Date.now() - triedAt >= POLL_EVERY) {
      triedAt = Date.now();
      wrapper.reconnect();
    } else {
      timer = setTimeout(reconnect, answered ? POLL_EVERY : soon());
    }
  };
  const wake = () => {
    if (document.visibilityState === "visible") reconnect();
  };
  setInterval(() => {
    if (isActive() && !timer && !isPolling && !isWell()) reconnect(); // the socket stopped responding, or the computer slept
  }, 500);
  document.addEventListener("visibilitychange", wake);
  addEventListener("pageshow", wake);
  addEventListener("online", wake);

  document.addEventListener("htmx:wsOpen", ({ detail }) => {
    wrapper = detail.socketWrapper;
    if (detail.event.target !== socket) return detail.event.target.close(); // opened after it was given up
    lastHeard = Date.now();
    clearTimeout(timer);
    timer = null;
    showConnection();
  });
  document.addEventListener("htmx:wsClose", ({ detail }) => {
    wrapper = detail.socketWrapper;
    if (detail.event.target !== socket || !isActive()) return;
    showConnection();
    timer ??= setTimeout(reconnect, soon());
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

  // Polled and pushed events may overlap: rows the log already has are dropped.
  document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
    if (detail.target.id !== "log-table") return;
    const newest = Number(detail.target.rows[detail.target.rows.length - 1].cells[0].textContent) || 0;
    for (const row of detail.fragment.querySelectorAll("tr")) {
      if (Number(row.cells[0].textContent) <= newest) row.remove();
    }
  });

  // A fragment that replaces the focused element gives the focus back.
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
