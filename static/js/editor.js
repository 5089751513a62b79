// The editor: saving by Ctrl+S, staying where one was, and not losing what was typed.
(() => {
  const form = document.getElementById("editor");
  const text = form.elements.namedItem("content");
  const place = `editor ${location.pathname}`;
  let unsaved = Boolean(document.getElementById("conflict"));

  form.addEventListener("input", () => {
    unsaved = true;
  });
  form.addEventListener("submit", (event) => {
    unsaved = false;
    if (event.submitter?.name !== "stay") return;
    const { selectionStart, selectionEnd, scrollTop } = text;
    sessionStorage.setItem(place, JSON.stringify({ selectionStart, selectionEnd, scrollTop }));
  });
  addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("button[name=stay]"));
  });

  const before = sessionStorage.getItem(place);
  if (before) {
    sessionStorage.removeItem(place);
    text.focus({ preventScroll: true });
    Object.assign(text, JSON.parse(before));
  }

  // The preview knows how many words there are.
  document.addEventListener("htmx:afterSwap", () => {
    const words = Number(document.getElementById("preview").dataset.words);
    document.getElementById("words").textContent = `${words.toLocaleString("en-GB")} words`;
  });
})();
