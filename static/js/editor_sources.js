// Completion in the editor: after "[^" and "@" it offers the passages that were read, and inserts the citation and its footnote.
(() => {
  const { autocompletion, pickedCompletion } = CodeMirror;
  const editor = window.studioEditor;
  const MOST = 40; // offered at once
  let sources = [];

  editor.passages = new Map(); // by id
  editor.loadSources = async (url) => {
    const answer = await fetch(url, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return;
    ({ sources } = await answer.json());
    for (const source of sources) for (const passage of source.passages) editor.passages.set(passage.id, { ...passage, source });
  };

  const labelOf = (source, labels) => {
    if (source.label && labels.has(source.label)) return source.label;
    for (const [label, entry] of labels) if (source.url && entry.includes(source.url)) return label;
    let free = 1;
    while (labels.has(String(free))) free += 1;
    return String(free);
  };
  const cite = (source) => (view, completion, from, to) => {
    const { doc } = view.state;
    const labels = editor.definedLabels(view.state);
    const label = labelOf(source, labels);
    const insert = `[^${label}]`;
    const end = doc.sliceString(to, to + 1) === "]" ? to + 1 : to;
    const changes = [{ from, to: end, insert }];
    if (!labels.has(label)) {
      const text = doc.toString();
      const isAfterOne = /(?:^|\n) {0,3}\[\^[^[\]\s]+\]:[^\n]*\n*$/.test(text);
      const gap = isAfterOne ? (text.endsWith("\n") ? "" : "\n") : text.endsWith("\n") ? "\n" : "\n\n";
      changes.push({ from: doc.length, insert: `${gap}[^${label}]: ${source.entry}\n` });
    }
    view.dispatch({
      changes,
      selection: { anchor: from + insert.length },
      annotations: pickedCompletion.of(completion),
      userEvent: "input.complete",
    });
  };

  const complete = (context) => {
    const before = context.matchBefore(/\[\^[^\]\n]{0,60}$/) ?? context.matchBefore(/(?<![\p{L}\p{N}])@[^\s@]{0,40}$/u);
    if (!before || !sources.length) return null;
    const words = before.text.replace(/^(?:\[\^|@)/, "").toLowerCase().split(/\s+/).filter(Boolean);
    const labels = editor.definedLabels(context.state);
    const options = [];
    for (const source of sources) {
      const label = labelOf(source, labels);
      for (const passage of source.passages) {
        const text = `${labels.has(label) ? label : ""} ${source.title} ${source.publisher} ${passage.text}`.toLowerCase();
        if (!words.every((word) => text.includes(word))) continue;
        const start = passage.text.length > 90 ? `${passage.text.slice(0, 90)}…` : passage.text;
        const detail = [source.title, passage.page && `p. ${passage.page}`].filter(Boolean).join(", ");
        options.push({ label: start, detail: `[^${label}] ${detail}`, info: passage.text, apply: cite(source) });
      }
    }
    return { from: before.from, options: options.slice(0, MOST), filter: false };
  };

  editor.completion = autocompletion({ override: [complete], icons: false, maxRenderedOptions: MOST });
})();
