// Beside the editor: the outline with what is open in each section, and the preview, which follows the cursor.
(() => {
  const editor = window.studioEditor;
  const DRAW_AFTER = 150; // milliseconds
  let drawing;

  const headingsOf = (doc) => {
    const found = [];
    let fence = "";
    let place = 0;
    for (const line of doc.iterLines()) {
      const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
      if (mark) fence = fence ? (mark.startsWith(fence) ? "" : fence) : mark;
      const heading = !fence && /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/.exec(line);
      if (heading) found.push({ level: heading[1].length, text: heading[2].replace(/\[\^[^\]]*\]|[*_`]/g, ""), from: place });
      place += line.length + 1;
    }
    return found;
  };

  const draw = (view) => {
    const { state } = view;
    const headings = headingsOf(state.doc);
    const open = editor.openPlaces(state);
    const { head } = state.selection.main;
    const list = document.getElementById("editor-outline");
    const rows = headings.map(({ level, text, from }, index) => {
      const end = headings[index + 1]?.from ?? state.doc.length + 1;
      const count = open.filter((place) => place.from >= from && place.from < end).length;
      const row = document.createElement("li");
      row.className = `is-level-${level}`;
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: text || "Untitled" });
      if (head >= from && head < end) button.setAttribute("aria-current", "location");
      button.addEventListener("click", () => {
        const effects = CodeMirror.EditorView.scrollIntoView(from, { y: "start" });
        view.dispatch({ selection: { anchor: view.state.doc.lineAt(from).to }, effects });
        view.focus();
      });
      if (count) button.append(Object.assign(document.createElement("small"), { textContent: `${count} open` }));
      row.append(button);
      return row;
    });
    list.replaceChildren(...rows);
    const here = headings.findLast(({ from }) => from <= head);
    document.dispatchEvent(new CustomEvent("studio:section", { detail: { section: here?.text ?? "" } }));
    const claims = document.getElementById("open-claims");
    claims.hidden = !open.length;
    claims.textContent = `${open.length} open claim${open.length === 1 ? "" : "s"}`;
    follow(view, headings);
  };

  // The place in the preview: as far between two headings as the cursor is between them in the text.
  const follow = ({ state }, headings) => {
    const preview = document.getElementById("preview");
    const shown = [...preview.querySelectorAll(".prose :is(h1, h2, h3, h4, h5, h6):not(.footnotes *)")];
    if (!preview.firstElementChild || shown.length < headings.length) return;
    const { head } = state.selection.main;
    const top = (element) => element.getBoundingClientRect().top - preview.getBoundingClientRect().top + preview.scrollTop;
    const next = headings.findIndex(({ from }) => from > head);
    const index = next < 0 ? headings.length : next; // headings before the cursor
    const [start, end] = [headings[index - 1]?.from ?? 0, headings[index]?.from ?? state.doc.length];
    const from = index ? top(shown[index - 1]) : 0;
    const to = index < headings.length ? top(shown[index]) : preview.scrollHeight;
    const place = from + ((head - start) / Math.max(1, end - start)) * (to - from);
    preview.scrollTop = Math.max(0, place - preview.clientHeight / 3);
  };

  const later = () => {
    clearTimeout(drawing);
    drawing = setTimeout(() => editor.view && draw(editor.view), DRAW_AFTER);
  };
  document.addEventListener("studio:cursor", later);
  document.addEventListener("studio:claims", later);
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target?.id === "preview") later();
  });
  if (matchMedia("(max-width: 52rem)").matches) document.getElementById("outline-details").open = false;
  document.addEventListener("click", ({ target }) => {
    if (target.id === "open-claims") editor.goToOpen(editor.view);
    if (target.id === "find-text") CodeMirror.openSearchPanel(editor.view);
  });
})();
