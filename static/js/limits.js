// Fields with a limit of characters: a counter appears near the limit, and an error beyond it. Nothing is cut.
(() => {
  const NEAR = 0.9; // of the limit
  const format = (number) => number.toLocaleString("en-GB");

  // As the server counts: code points, and line ends as CR LF.
  const lengthOf = ({ value }) =>
    value.length - (value.match(/[\uD800-\uDBFF]/g)?.length ?? 0) + (value.match(/\n/g)?.length ?? 0);

  const counterOf = (field) => {
    const id = `${field.id}-counter`;
    const known = document.getElementById(id);
    if (known) return known;
    const counter = Object.assign(document.createElement("small"), { id, className: "counter", ariaLive: "polite" });
    field.after(counter);
    field.setAttribute("aria-describedby", [field.getAttribute("aria-describedby"), id].filter(Boolean).join(" "));
    return counter;
  };
  const count = (field) => {
    const [length, limit] = [lengthOf(field), Number(field.dataset.limit)];
    const isOver = length > limit;
    if (length < limit * NEAR && !document.getElementById(`${field.id}-counter`)) return;
    const counter = counterOf(field);
    counter.hidden = length < limit * NEAR;
    counter.classList.toggle("is-over", isOver);
    counter.textContent = isOver
      ? `${format(length - limit)} characters over the limit of ${format(limit)}. Shorten the text or split it.`
      : `${format(length)} of ${format(limit)} characters`;
    if (isOver) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  };

  const countAll = () => document.querySelectorAll("[data-limit]").forEach(count);
  document.addEventListener("input", ({ target }) => {
    if (target.dataset?.limit) count(target);
  });
  document.addEventListener("htmx:load", countAll); // also after a form came back with errors
  countAll();
})();
