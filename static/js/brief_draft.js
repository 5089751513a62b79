// A brief that was not sent: leaving the page asks first. It is kept in this browser, for this user, and offered again.
(() => {
  const PREFIX = "studio-brief ";
  const key = `${PREFIX}${document.body.dataset.user} ${location.pathname}`;
  const offer = document.getElementById("brief-draft");
  const form = () => document.getElementById("brief");
  let isUnsaved = false;
  let isSigningOut = false; // drafts are removed then, see pages.js
  let saving;

  // Files cannot be kept; the token, the counts of the formset and the stored sources belong to the page.
  const isKept = ({ name, type }) => name && name !== "remove" && !["file", "hidden", "submit"].includes(type);
  const fields = () => [...form().elements].filter(isKept);
  const valueOf = (field) => (field.type === "checkbox" ? field.checked : field.value);

  const stored = () => {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null; // storage is blocked
    }
  };
  const save = () => {
    const chosen = fields().filter((field) => field.type !== "radio" || field.checked);
    const values = Object.fromEntries(chosen.map((field) => [field.name, valueOf(field)]));
    try {
      localStorage.setItem(key, JSON.stringify({ values, savedAt: new Date().toISOString() }));
    } catch {
      // storage is full or blocked: leaving the page still asks
    }
  };
  const forget = () => {
    clearTimeout(saving);
    isUnsaved = false;
    localStorage.removeItem(key);
  };
  const restore = ({ values }) => {
    const texts = Object.keys(values).filter((name) => /^text-\d+-text$/.test(name)).length;
    while (document.querySelectorAll("#texts .pasted").length < texts) document.getElementById("add-text").click();
    for (const field of fields()) {
      if (!(field.name in values)) continue;
      if (field.type === "checkbox") field.checked = values[field.name];
      else if (field.type === "radio") field.checked = field.value === values[field.name];
      else field.value = values[field.name];
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    for (const more of form().querySelectorAll("details.more")) {
      more.open ||= [...more.querySelectorAll("input, textarea")].some(({ value }) => value);
    }
    document.getElementById("id_topic").focus();
  };

  const draft = stored(); // as it was when the page was opened, until it is restored or discarded
  if (draft) {
    const when = new Date(draft.savedAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const topic = draft.values.topic?.trim();
    document.getElementById("brief-draft-text").textContent = `${topic ? `“${topic.slice(0, 80)}”, ` : ""}${when}`;
    offer.hidden = false;
  }
  document.getElementById("brief-draft-restore").addEventListener("click", () => {
    offer.hidden = true;
    restore(draft);
  });
  document.getElementById("brief-draft-discard").addEventListener("click", () => {
    offer.hidden = true;
    forget();
    document.getElementById("id_topic").focus();
  });

  const changed = ({ target }) => {
    if (!form().contains(target)) return;
    isUnsaved = true;
    clearTimeout(saving);
    saving = setTimeout(save, 300);
  };
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
  document.addEventListener("submit", ({ target }) => {
    isSigningOut = target.id === "sign-out";
  });
  addEventListener("pagehide", () => {
    if (isUnsaved && !isSigningOut) save();
  });
  addEventListener("beforeunload", (event) => {
    if (isUnsaved) event.preventDefault();
  });
  document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
    if (detail.elt === form() && detail.xhr.getResponseHeader("HX-Redirect")) forget(); // sent
  });
})();
