// The comparison of two revisions: F8 and Shift+F8, or the buttons, go from change to change.
(() => {
  const form = document.querySelector(".compare-form");
  form.addEventListener("change", ({ target }) => {
    if (target.name === "view") form.requestSubmit();
  });

  const count = document.getElementById("change-count");
  if (!count) return;
  // One of the two views is hidden, depending on the width of the window.
  const changes = () => [...document.querySelectorAll(".comparison .change")].filter((change) => change.offsetParent);
  let current = null;
  const go = (step) => {
    const all = changes();
    const at = all.indexOf(current);
    const to = at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length;
    current = all[to];
    current.scrollIntoView({ block: "center" });
    current.focus({ preventScroll: true });
    count.textContent = `Change ${to + 1} of ${all.length}`;
  };
  document.getElementById("next-change").addEventListener("click", () => go(1));
  document.getElementById("previous-change").addEventListener("click", () => go(-1));
  document.addEventListener("focusin", ({ target }) => {
    current = target.closest(".change") ?? current;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "F8" || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    go(event.shiftKey ? -1 : 1);
  });
})();
