// Formatting in the editor, for those who do not know Markdown: buttons and keys that write it. A second press takes it away.
(() => {
  const { EditorSelection, keymap } = CodeMirror;
  const editor = window.studioEditor;
  const MARKS = { strong: "**", emphasis: "*" };
  const LINES = { heading: "## ", list: "- ", quote: "> " };
  const OPENING = /^(?:#{1,6} |[-*+] |\d{1,9}[.)] |> )/;

  const wrap = (view, mark) => {
    const { state } = view;
    const change = state.changeByRange(({ from, to }) => {
      const size = mark.length;
      const isAround = state.sliceDoc(from - size, from) === mark && state.sliceDoc(to, to + size) === mark;
      if (isAround) {
        const changes = [{ from: from - size, to: from }, { from: to, to: to + size }];
        return { changes, range: EditorSelection.range(from - size, to - size) };
      }
      const changes = [{ from, insert: mark }, { from: to, insert: mark }];
      return { changes, range: EditorSelection.range(from + size, to + size) };
    });
    view.dispatch(state.update(change, { userEvent: "input", scrollIntoView: true }));
  };
  const begin = (view, opening) => {
    const { doc, selection } = view.state;
    const changes = [];
    const last = doc.lineAt(selection.main.to).number;
    for (let number = doc.lineAt(selection.main.from).number; number <= last; number++) {
      const line = doc.line(number);
      if (!line.text.trim() && selection.main.from !== selection.main.to) continue;
      const before = OPENING.exec(line.text)?.[0] ?? "";
      changes.push({ from: line.from, to: line.from + before.length, insert: before === opening ? "" : opening });
    }
    view.dispatch({ changes, userEvent: "input", scrollIntoView: true });
  };
  const link = (view) => {
    const { from, to } = view.state.selection.main;
    const words = view.state.sliceDoc(from, to) || "words";
    const start = from + words.length + 3;
    const insert = `[${words}](https://)`;
    view.dispatch({ changes: { from, to, insert }, selection: { anchor: start, head: start + 8 }, userEvent: "input" });
  };
  const cite = (view) => {
    const { to } = view.state.selection.main;
    const isAfterWord = /[\p{L}\p{N}]$/u.test(view.state.sliceDoc(Math.max(0, to - 1), to));
    const insert = isAfterWord ? " @" : "@";
    const selection = { anchor: to + insert.length };
    view.dispatch({ changes: { from: to, insert }, selection, userEvent: "input.type", scrollIntoView: true });
  };
  const apply = (view, format) => {
    if (format in MARKS) wrap(view, MARKS[format]);
    else if (format in LINES) begin(view, LINES[format]);
    else ({ link, cite })[format](view);
    view.focus();
    return true;
  };

  editor.format = keymap.of([
    { key: "Mod-b", run: (view) => apply(view, "strong") },
    { key: "Mod-i", run: (view) => apply(view, "emphasis") },
  ]);
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-format]");
    if (button) apply(editor.view, button.dataset.format);
  });
})();
