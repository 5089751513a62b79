// Around the editor: Ctrl+S saves and leaves everything as it is, and the number of words follows the preview.
(() => {
  const form = () => document.getElementById("editor");

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    form().querySelector("button[name=stay]").click(); // htmx sends the name of a button that was clicked
  });
  document.addEventListener("studio:saved", ({ detail }) => {
    document.getElementById("conflict")?.remove();
    document.getElementById("restored").hidden = true;
    document.dispatchEvent(new CustomEvent("studio:toast", { detail: { text: detail.message } }));
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target?.id === "editor") document.getElementById("conflict")?.focus(); // not saved
    const { words } = document.getElementById("preview").dataset;
    if (words) document.getElementById("words").textContent = `${Number(words).toLocaleString("en-GB")} words`;
  });
})();
