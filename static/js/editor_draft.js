// What is typed into the editor is kept: at once in this browser, within seconds on the server. Neither is a revision.
(() => {
  const LOCAL_AFTER = 300; // milliseconds after the last key
  const SERVER_AFTER = 2000;
  const SERVER_WITHIN = 5000; // of the first key, however fast somebody types
  const RETRY_AFTER = 5000;
  const MAX_KEEPALIVE = 60000; // characters; browsers send no more while a page is closed

  const form = () => document.getElementById("editor");
  const field = (name) => form().elements.namedItem(name);
  const prefix = `studio-text ${document.body.dataset.user} ${location.pathname} `;
  const key = prefix + Math.random().toString(36).slice(2); // each tab has its own
  const typed = () => ({ title: field("title").value, content: field("content").value });
  const same = (one, other) => one && other && one.title === other.title && one.content === other.content;
  const show = (id, isShown = true) => (document.getElementById(id).hidden = !isShown);

  const opened = typed();
  let stored = opened; // what the server has, as a draft or as the saved text
  let storedAt = null;
  let sent = null;
  let saving = null;
  let meanwhile = null;
  let isSending = false;
  let isFailing = false;
  let isPaused = false; // while the text is being saved, or another tab has stored another one
  let isSignedOut = false;
  let isSigningOut = false;
  let isLocal = false; // this browser has what the server has not
  let firstKey = null;
  let serverTimer;
  let localTimer;

  // In this browser

  const local = {
    entries() {
      try {
        const found = Object.keys(localStorage).filter((name) => name.startsWith(prefix) && name !== key);
        return found.map((name) => ({ name, ...JSON.parse(localStorage.getItem(name)) }));
      } catch {
        return []; // storage is blocked
      }
    },
    save() {
      clearTimeout(localTimer);
      const entry = { ...typed(), opened_at: field("opened_at").value, version: field("version").value, at: Date.now() };
      try {
        localStorage.setItem(key, JSON.stringify(entry));
        isLocal = true;
      } catch {
        isLocal = false; // storage is full or blocked: leaving the page asks
      }
      paint();
    },
    forget(name = key) {
      clearTimeout(localTimer);
      try {
        localStorage.removeItem(name);
      } catch {
        // storage is blocked: there is nothing
      }
      isLocal &&= name !== key;
    },
  };

  // What the page says

  const ago = (moment) => {
    const seconds = Math.round((Date.now() - moment) / 1000);
    if (seconds < 60) return `${Math.max(1, seconds)} s ago`;
    return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
  };
  const status = () => {
    if (same(typed(), stored)) return storedAt ? `Draft saved ${ago(storedAt)}` : "";
    if (!isFailing && !isPaused) return "Unsaved changes";
    return isLocal ? "Not on the server. Kept in this browser." : "Not saved anywhere yet. Keep this page open.";
  };
  const paint = () => {
    const line = document.getElementById("draft-status");
    const text = status();
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("is-bad", text.startsWith("Not"));
    const alert = document.getElementById("draft-alert"); // read aloud: the seconds of a draft are not
    const problem = text.startsWith("Not") ? text : "";
    if (alert.textContent !== problem) alert.textContent = problem;
  };

  // On the server

  const replaceText = ({ title, content }) => {
    for (const [name, value] of Object.entries({ title, content })) {
      if (field(name).value === value) continue;
      field(name).value = value;
      field(name).dispatchEvent(new Event("input", { bubbles: true }));
      field(name).dispatchEvent(new Event("studio:replaced", { bubbles: true }));
    }
  };
  const conflict = (other) => {
    if (same(other, sent) || same(other, stored)) {
      field("version").value = other.version; // the answer to this tab was lost
      return schedule(0);
    }
    isPaused = true;
    local.save();
    document.getElementById("elsewhere-time").textContent = ago(new Date(other.kept_at));
    document.getElementById("use-theirs").onclick = () => {
      local.forget();
      Object.assign(field("opened_at"), { value: other.opened_at });
      resume(other);
      stored = { title: other.title, content: other.content };
      storedAt = new Date(other.kept_at);
      replaceText(other);
    };
    document.getElementById("keep-mine").onclick = () => resume(other);
    show("elsewhere");
  };
  const resume = ({ version }) => {
    field("version").value = version;
    isPaused = false;
    show("elsewhere", false);
    field("content").focus();
    schedule(0);
  };
  const answered = async (answer, text) => {
    if (answer.ok) {
      const { version } = await answer.json();
      field("version").value = version;
      [stored, storedAt, isFailing] = [text, Date.now(), false];
      if (same(typed(), text)) local.forget();
    } else if (answer.status === 409) {
      conflict(await answer.json());
    } else {
      isFailing = true;
      isSignedOut = answer.status === 401 || answer.headers.get("Studio-Form-Expired") === "true";
      if (isSignedOut) document.dispatchEvent(new Event("studio:session-ended"));
    }
  };
  const store = async (keepalive = false) => {
    clearTimeout(serverTimer);
    serverTimer = null;
    firstKey = null;
    const text = typed();
    if (isPaused || isSending || same(text, stored)) return;
    [isSending, sent] = [true, text];
    const body = new URLSearchParams({ ...text, opened_at: field("opened_at").value, version: field("version").value });
    const headers = { "HX-Request": "true", "X-CSRFToken": field("csrfmiddlewaretoken").value };
    const signal = keepalive ? undefined : AbortSignal.timeout(20000);
    try {
      await answered(await fetch(form().dataset.unsaved, { method: "POST", body, headers, keepalive, signal }), text);
    } catch {
      isFailing = true; // the network or the server is away
    } finally {
      isSending = false;
    }
    if (!same(typed(), stored) && !isPaused && !isSignedOut) schedule(isFailing ? RETRY_AFTER : SERVER_AFTER);
    paint();
  };
  const schedule = (after) => {
    firstKey ??= Date.now();
    clearTimeout(serverTimer);
    serverTimer = setTimeout(store, Math.min(after, Math.max(0, firstKey + SERVER_WITHIN - Date.now())), false);
  };

  const changed = ({ target }) => {
    if (target !== field("title") && target !== field("content")) return;
    clearTimeout(localTimer);
    if (same(typed(), stored)) local.forget();
    else localTimer = setTimeout(local.save, LOCAL_AFTER);
    if (!isFailing) schedule(SERVER_AFTER);
    paint();
  };

  // What an earlier visit left behind: the server's draft is in the page already.
  const restore = () => {
    const entries = local.entries().sort((one, other) => other.at - one.at);
    for (const entry of entries) if (same(entry, opened)) local.forget(entry.name);
    const found = entries.find((entry) => !same(entry, opened));
    if (!found) return;
    field("opened_at").value = found.opened_at;
    field("version").value = found.version; // another device may have stored a later one: then the server answers 409
    stored = null;
    replaceText(found);
    local.save();
    local.forget(found.name);
    document.getElementById("restored-time").textContent = ago(found.at);
    show("restored");
    schedule(0);
  };

  document.addEventListener("input", changed);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") store();
    else if (isFailing) schedule(0);
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) location.reload(); // the browser's "back" shows the page as it was left: being saved
  });
  addEventListener("online", () => isFailing && schedule(0));
  document.addEventListener("studio:resumed", () => {
    isSignedOut = false;
    schedule(0);
  });
  addEventListener("pagehide", () => {
    if (isSigningOut || same(typed(), stored)) return;
    local.save();
    if (typed().content.length < MAX_KEEPALIVE) store(true);
  });
  addEventListener("beforeunload", (event) => {
    if (same(typed(), stored)) return;
    if (!isSigningOut) local.save();
    if (!isLocal || isSigningOut) event.preventDefault();
  });
  document.addEventListener("submit", ({ target }) => {
    isSigningOut = target.id === "sign-out";
    if (target.id !== "discard") return;
    target.elements.version.value = field("version").value;
    stored = typed(); // leaving does not ask
    for (const { name } of local.entries()) local.forget(name);
    local.forget();
  });

  // Saving. What is typed until the answer arrives is not saved yet.
  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.elt !== form()) return;
    local.save();
    clearTimeout(serverTimer);
    saving = typed();
    isPaused = true;
  });
  const saved = () => {
    stored = saving;
    storedAt = null;
    if (same(typed(), stored)) local.forget();
  };
  document.addEventListener("studio:saved", ({ detail }) => {
    saved();
    field("opened_at").value = detail.opened_at;
    field("version").value = ""; // the draft was deleted
    paint();
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.requestConfig.elt.id !== "editor") return; // detail.elt is another one once the form was replaced
    if (detail.xhr.getResponseHeader("HX-Redirect")) return saved(); // the page is left
    isPaused = false;
    schedule(0);
  });

  // What was typed while a save was on its way that was then refused: the form that came back does not have it.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target.id === "editor") meanwhile = same(typed(), saving) ? null : typed();
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target?.id === "editor" && meanwhile && same(typed(), saving)) replaceText(meanwhile);
  });

  restore();
  setInterval(paint, 1000);
  paint();
})();
