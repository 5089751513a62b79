// How the editor looks. The page's style sheets do not reach into its shadow root, but the page's colours do, as properties.
(() => {
  const { EditorView } = CodeMirror;
  const chipOf = (name, ink, ground) => ({
    [`.chip.is-${name}`]: { color: `var(--${ink})`, backgroundColor: `var(--${ground})`, borderColor: "currentColor" },
  });
  const claimOf = (name, ink, style) => ({
    [`.claim.is-${name}`]: { textDecoration: `underline ${style} var(--${ink})`, textUnderlineOffset: "0.25em" },
  });
  const small = { fontFamily: "var(--pico-font-family-sans-serif)", fontSize: "0.875rem", lineHeight: "1.5" };
  const label = { fontWeight: "600", fontSize: "0.75rem" };
  const bordered = { color: "var(--ink)", backgroundColor: "var(--paper)", border: "1px solid var(--line-strong)" };

  window.studioEditor.theme = EditorView.theme({
    "&": { color: "var(--ink)", backgroundColor: "var(--paper)", border: "1px solid var(--line-strong)", borderRadius: "0.5rem" },
    "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
    "&.cm-editor": { height: "var(--editor-height, 30rem)" },
    ".cm-scroller": { overflow: "auto", fontFamily: "var(--serif)", fontSize: "1.0625rem", lineHeight: "1.7" },
    ".cm-content": { padding: "1.25rem 0 40vh", caretColor: "var(--ink)" },
    ".cm-line": { padding: "0 1.5rem" },
    ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "2px" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
      backgroundColor: "light-dark(#cfdcff, #33446f)",
    },
    ".cm-searchMatch": { backgroundColor: "light-dark(#ffe9a8, #5a4a12)" },
    ".cm-searchMatch-selected": { backgroundColor: "light-dark(#ffc95c, #7d6414)" },
    ".cm-selectionMatch": { backgroundColor: "light-dark(#eef0f4, #2a303a)" },

    ".chip": { ...small, ...label, padding: "0 0.35em", border: "1px solid", borderRadius: "0.4em" },
    ".chip:hover, .chip.is-shown": { outline: "2px solid var(--accent)", outlineOffset: "1px", cursor: "pointer" },
    ...chipOf("supported", "good", "good-tint"),
    ...chipOf("partly", "warn", "warn-tint"),
    ...chipOf("not", "bad", "bad-tint"),
    ...chipOf("undefined", "bad", "bad-tint"),
    ...chipOf("edited", "ink-soft", "paper"),
    ...chipOf("unchecked", "ink-soft", "sunken"),
    ".chip.is-edited": { borderStyle: "dashed", color: "var(--ink-soft)" },
    ...claimOf("partly", "warn", "dotted"),
    ...claimOf("not", "bad", "dashed"),
    ...claimOf("edited", "ink-soft", "dotted"),
    ...claimOf("unchecked", "ink-soft", "dotted"),
    ...claimOf("uncited", "bad", "dashed"),
    ".definition": { ...small, fontWeight: "600", color: "var(--ink-soft)" },

    ".card": {
      ...small,
      margin: "0.5rem 1.25rem 0.75rem",
      padding: "0.75rem 1rem",
      border: "1px solid var(--line-strong)",
      borderRadius: "0.75rem",
      backgroundColor: "var(--paper)",
      boxShadow: "var(--shadow)",
      whiteSpace: "normal",
    },
    ".card p": { margin: "0", overflowWrap: "anywhere" },
    ".card-head": { display: "flex", gap: "0.6rem", alignItems: "flex-start" },
    ".card-head > p": { flex: "1" },
    ".card-icon": { fontWeight: "700", color: "var(--ink-soft)" },
    ".card.is-supported .card-icon": { color: "var(--good)" },
    ".card.is-partly .card-icon": { color: "var(--warn)" },
    ".card.is-not .card-icon, .card.is-undefined .card-icon": { color: "var(--bad)" },
    ".card-button": {
      font: "inherit",
      padding: "0.2rem 0.7rem",
      border: "1px solid var(--line-strong)",
      borderRadius: "0.5rem",
      backgroundColor: "var(--paper)",
      color: "var(--ink)",
      cursor: "pointer",
    },
    ".card-button:focus-visible, .card a:focus-visible": { outline: "2px solid var(--accent)", outlineOffset: "2px" },
    ".card blockquote": {
      margin: "0.75rem 0 0.4rem",
      padding: "0.6rem 0.9rem",
      borderRadius: "0.5rem",
      backgroundColor: "var(--sunken)",
      fontFamily: "var(--serif)",
      whiteSpace: "pre-line",
      overflowWrap: "anywhere",
    },
    ".card a": { color: "var(--accent)", fontWeight: "600" },
    ".card-source > span:first-child": { fontWeight: "600" },
    ".card-details": { display: "block", color: "var(--ink-soft)" },
    ".card-entry": { marginTop: "0.5rem", color: "var(--ink-soft)" },

    ".cm-panels": { ...small, backgroundColor: "var(--sunken)", color: "var(--ink)", borderBottom: "1px solid var(--line)" },
    ".cm-panels .cm-textfield, .cm-panels .cm-button": { ...bordered, font: "inherit", backgroundImage: "none" },
    ".cm-panel.cm-search": { padding: "0.5rem 2rem 0.5rem 0.75rem" },
    ".cm-panel.cm-search label": { fontSize: "0.8125rem" },
    ".cm-panel.cm-search [name=close]": { fontSize: "1.25rem", color: "var(--ink)", cursor: "pointer" },

    ".cm-tooltip": { ...small, ...bordered, borderRadius: "0.5rem" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul": { ...small, maxWidth: "min(38rem, 90vw)", maxHeight: "16rem" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.35rem 0.6rem", whiteSpace: "normal" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-tint)", color: "var(--ink)" },
    ".cm-completionDetail": { display: "block", marginLeft: "0", fontStyle: "normal", color: "var(--ink-soft)" },
    ".cm-completionInfo": { maxWidth: "22rem", padding: "0.6rem 0.8rem", whiteSpace: "pre-line" },
  });
})();
