// The brief: documents chosen or dropped, and additional pasted texts.
(() => {
  let documents = []; // kept here: in a form that comes back with errors the file input is empty

  const field = () => document.querySelector("#brief input[type=file]");

  const sizeOf = (bytes) => {
    const kilobytes = Math.max(1, Math.round(bytes / 1024));
    return kilobytes < 1000 ? `${kilobytes} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  };

  const show = () => {
    const chosen = new DataTransfer();
    for (const file of documents) chosen.items.add(file);
    field().files = chosen.files;
    document.getElementById("chosen").replaceChildren(
      ...documents.map((file, number) => {
        const item = document.createElement("li");
        const size = sizeOf(file.size);
        const remove = Object.assign(document.createElement("button"), {
          type: "button",
          className: "chosen-remove",
          textContent: "Remove",
          ariaLabel: `Remove ${file.name}`,
        });
        remove.addEventListener("click", () => {
          documents.splice(number, 1);
          show();
          field().focus();
        });
        item.append(Object.assign(document.createElement("span"), { textContent: `${file.name} · ${size}` }), remove);
        return item;
      }),
    );
  };
  const add = (files) => {
    const known = (file) => documents.some((other) => other.name === file.name && other.size === file.size);
    documents = [...documents, ...[...files].filter((file) => !known(file))];
    show();
  };

  document.addEventListener("change", (event) => {
    if (event.target === field()) add(field().files);
  });
  const over = (event, yes) => {
    const drop = event.target.closest?.("#drop");
    if (!drop) return null;
    event.preventDefault();
    drop.classList.toggle("is-over", yes);
    return drop;
  };
  document.addEventListener("dragover", (event) => over(event, true));
  document.addEventListener("dragleave", (event) => over(event, false));
  document.addEventListener("drop", (event) => {
    if (over(event, false)) add(event.dataTransfer.files);
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("#add-text")) return;
    const total = document.getElementById("id_text-TOTAL_FORMS");
    const html = document.getElementById("empty-text").innerHTML.replaceAll("__prefix__", total.value);
    document.getElementById("texts").insertAdjacentHTML("beforeend", html);
    total.value = Number(total.value) + 1;
    document.querySelector("#texts fieldset:last-of-type input").focus();
  });

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target?.id !== "brief") return;
    show();
    document.getElementById("brief-problems")?.focus();
  });
})();
