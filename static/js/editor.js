// The text editor: Ctrl+S saves, and the cursor stays where it was.
(() => {
  const form = () => document.getElementById("editor");
  const text = () => form().elements.namedItem("content");
  const place = `editor ${location.pathname}`;

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    form().querySelector("button[name=stay]").click(); // htmx sends the name of a button that was clicked
  });

  // Saved: the answer sends the browser to the article, or back to this page.
  document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
    if (detail.elt !== form() || !detail.xhr.getResponseHeader("HX-Redirect")) return;
    if (!detail.requestConfig.parameters.stay) return;
    const { selectionStart, selectionEnd, scrollTop } = text();
    sessionStorage.setItem(place, JSON.stringify({ selectionStart, selectionEnd, scrollTop }));
  });
  const before = sessionStorage.getItem(place);
  if (before) {
    sessionStorage.removeItem(place);
    text().focus({ preventScroll: true });
    Object.assign(text(), JSON.parse(before));
  }

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target?.id === "editor") document.getElementById("conflict")?.focus(); // not saved
    const { words } = document.getElementById("preview").dataset;
    if (words) document.getElementById("words").textContent = `${Number(words).toLocaleString("en-GB")} words`;
  });
})();
