// The editor of the text: CodeMirror in a shadow root, where its style sheets pass the Content-Security-Policy. The textarea
// stays the form's field and always has the same text; without this script it is the editor.
(() => {
  const { Annotation, EditorState, EditorView, GFM, HighlightStyle, Language, defineLanguageFacet, markdown, tags } = CodeMirror;
  const { defaultKeymap, drawSelection, highlightSelectionMatches, history, historyKeymap, keymap, search, searchKeymap } = CodeMirror;
  const { openSearchPanel, syntaxHighlighting } = CodeMirror;
  const editor = window.studioEditor;
  const CHECK_AFTER = 800; // milliseconds without a key, until the server compares the text with what was checked
  const COPY_AFTER = 60; // milliseconds
  const fromForm = Annotation.define(); // a change that the textarea has already

  editor.announce = (text) => {
    document.getElementById("editor-live").textContent = text;
  };

  const language = new Language(defineLanguageFacet(), markdown.configure([GFM]), [], "markdown");
  const sized = (size) => ({ fontSize: size, fontWeight: "700", fontFamily: "var(--pico-font-family-sans-serif)", lineHeight: "1.3" });
  const highlighting = HighlightStyle.define([
    { tag: tags.heading1, ...sized("1.6em") },
    { tag: tags.heading2, ...sized("1.35em") },
    { tag: tags.heading3, ...sized("1.15em") },
    { tag: [tags.heading4, tags.heading5, tags.heading6], ...sized("1.05em") },
    { tag: tags.heading, fontWeight: "700" }, // of a table
    { tag: tags.strong, fontWeight: "700" },
    { tag: tags.emphasis, fontStyle: "italic" },
    { tag: tags.strikethrough, textDecoration: "line-through" },
    { tag: tags.link, color: "var(--accent)" },
    { tag: tags.url, color: "var(--ink-soft)" },
    { tag: tags.quote, fontStyle: "italic" },
    { tag: tags.monospace, fontFamily: "var(--mono)", fontSize: "0.9em" },
    { tag: [tags.processingInstruction, tags.contentSeparator], color: "var(--ink-soft)", fontWeight: "400" },
  ]);

  const fields = () => document.getElementById("editor").elements;
  const textarea = () => fields().namedItem("content");
  let view = null;
  let checking;
  let copying = null;
  let sentences = []; // with their verdicts, as the server has them
  let checks = 0;

  // The text goes to the textarea soon, so that the preview, the draft and the form have it without asking here: writing
  // 30,000 characters into it takes 3 ms, too long for each key.
  const flush = () => {
    clearTimeout(copying);
    if (copying) {
      copying = null;
      textarea().value = view.state.doc.toString();
      textarea().dispatchEvent(new Event("input", { bubbles: true }));
    }
  };
  for (const name of ["submit", "visibilitychange"]) document.addEventListener(name, flush, { capture: true });
  for (const name of ["beforeunload", "pagehide"]) addEventListener(name, flush, { capture: true });
  const toForm = EditorView.updateListener.of(({ docChanged, selectionSet, transactions }) => {
    if (docChanged && !transactions.some((transaction) => transaction.annotation(fromForm))) {
      copying ??= setTimeout(flush, COPY_AFTER);
    }
    if (docChanged) {
      clearTimeout(checking);
      checking = setTimeout(check, CHECK_AFTER);
    }
    if (docChanged || selectionSet) document.dispatchEvent(new CustomEvent("studio:cursor", { detail: { view } }));
  });
  const takeFromForm = () => {
    clearTimeout(copying);
    copying = null;
    const [now, next] = [view.state.doc.toString(), textarea().value];
    if (now === next) return;
    let from = 0;
    while (from < now.length && now[from] === next[from]) from += 1;
    let end = 0;
    while (end < Math.min(now.length, next.length) - from && now.at(-1 - end) === next.at(-1 - end)) end += 1;
    const changes = { from, to: now.length - end, insert: next.slice(from, next.length - end) };
    view.dispatch({ changes, annotations: fromForm.of(true) });
  };

  const mount = () => {
    const field = textarea();
    const host = document.createElement("div");
    host.id = "editor-view";
    const root = host.attachShadow({ mode: "open" });
    field.after(host);
    const label = document.querySelector("label[for=id_content]");
    label.removeAttribute("for");
    label.addEventListener("click", () => view.focus());
    const state = EditorState.create({
      doc: field.value,
      selection: { anchor: Math.min(field.selectionStart, field.value.length) },
      extensions: [
        editor.completion, // before the claims: Escape closes what it offers first
        editor.claims,
        editor.format,
        history(),
        search({ top: true }),
        highlightSelectionMatches(),
        drawSelection(),
        keymap.of([...searchKeymap, ...historyKeymap, ...defaultKeymap]),
        language,
        syntaxHighlighting(highlighting),
        EditorView.lineWrapping,
        EditorView.perLineTextDirection.of(true),
        EditorView.contentAttributes.of({
          "aria-label": label.textContent,
          spellcheck: "true",
          autocapitalize: "sentences",
          autocorrect: "on",
          lang: field.lang,
          tabindex: "0",
        }),
        editor.theme,
        toForm,
      ],
    });
    const hadFocus = document.activeElement === field;
    field.hidden = true;
    view = new EditorView({ state, parent: root, root });
    editor.view = view;
    if (hadFocus) view.focus();
    document.dispatchEvent(new CustomEvent("studio:cursor", { detail: { view } }));
    editor.updateClaims(view, sentences);
  };

  // The verdicts on the text as it is now. While it is edited further, claims move along and count as edited where it changed.
  const check = async () => {
    const asked = ++checks;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": fields().namedItem("csrfmiddlewaretoken").value };
    const body = JSON.stringify({ title: fields().namedItem("title").value.slice(0, 300), content: view.state.doc.toString() });
    try {
      const answer = await fetch(textarea().dataset.evidence, { method: "POST", headers: { ...headers, "HX-Request": "true" }, body });
      if (!answer.ok || asked !== checks) return;
      ({ sentences } = await answer.json());
    } catch {
      return; // no connection: the text can be edited without its evidence
    }
    editor.updateClaims(view, sentences);
  };

  document.addEventListener("studio:replaced", ({ target }) => {
    if (target === textarea()) takeFromForm();
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target?.id === "editor") mount(); // the form came back with a conflict or an error
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "F8") editor.goToOpen(view, event.shiftKey);
    else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f") openSearchPanel(view);
    else return;
    event.preventDefault();
  });
  mount();
  editor.loadSources(textarea().dataset.sources).catch(() => {}); // without a connection nothing is offered
  check();
})();
