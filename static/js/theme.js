// Light or dark, set before the first paint: the reader's choice, else the system's.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is blocked: follow the system
    }
  };
  const show = () => {
    root.dataset.theme = chosen() ?? (dark.matches ? "dark" : "light");
  };

  root.classList.add("js");
  show();
  dark.addEventListener("change", show);
  addEventListener("storage", show);

  document.addEventListener("click", (event) => {
    if (!event.target.closest("#theme-button")) return;
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // storage is blocked: the choice lasts for this page
    }
  });
})();
