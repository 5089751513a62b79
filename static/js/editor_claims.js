// Claims in the editor: a citation is a chip with the verdict on its sentence, F8 goes to the next one that is open, and a
// card below the paragraph has its passages. A verdict belongs to the words it was given on: changing them makes it "edited".
window.studioEditor = {};
(() => {
  const { Decoration, EditorSelection, EditorView, Prec, RangeSetBuilder, StateEffect, StateField, ViewPlugin } = CodeMirror;
  const { keymap, WidgetType } = CodeMirror;
  const STATES = {
    supported: ["✓", "Supported"],
    partly: ["◐", "Partly supported"],
    not: ["✗", "Not supported"],
    edited: ["○", "Edited since it was checked"],
    uncited: ["+", "Cites no source"],
    unchecked: ["·", "Not checked"],
    undefined: ["?", "Has no footnote"],
  };
  const OPEN = new Set(["partly", "not", "edited", "unchecked", "uncited", "undefined"]);
  const MARK = /(?<!\\)\[\^([^[\]\s]{1,80})\]/g;
  const DEFINITION = /^ {0,3}\[\^([^[\]\s]{1,80})\]:(.*)$/gm;
  const editor = window.studioEditor;

  // Where a sentence stands: compared by letters and digits, whatever emphasis, marks and line breaks are between them

  const lettersOf = (text) => (text.replace(MARK, "").match(/[\p{L}\p{N}]+/gu) ?? []).join("");
  const skeletonOf = (text) => {
    const places = [];
    let letters = "";
    for (const { 0: found, index } of text.matchAll(/(?<!\\)\[\^[^[\]\s]{1,80}\]|[\p{L}\p{N}]+/gu)) {
      if (found.startsWith("[")) continue;
      letters += found;
      for (let place = index; place < index + found.length; place++) places.push(place);
    }
    return { letters, places };
  };
  const locate = (items, text) => {
    const { letters, places } = skeletonOf(text);
    const tail = /(?:[^\p{L}\p{N}\n[\s]|\s(?=\[\^))*(?:\[\^[^[\]\s]{1,80}\][^\p{L}\p{N}\n[\s]*)*/uy;
    let after = 0;
    return items.map((item) => {
      const wanted = lettersOf(item.sentence);
      let at = letters.indexOf(wanted, after);
      if (at < 0) at = letters.indexOf(wanted);
      if (at < 0 || !wanted) return { ...item, from: 0, to: 0 };
      after = at + wanted.length;
      tail.lastIndex = places[after - 1] + 1;
      tail.test(text);
      return { ...item, from: places[at], to: tail.lastIndex || places[after - 1] + 1, letters: wanted, verdict: item.state };
    });
  };

  // The claims of the text, moved with every change

  const setClaims = StateEffect.define();
  const claims = StateField.define({
    create: () => [],
    update(value, { changes, docChanged, effects, state }) {
      let found = value;
      if (docChanged) found = found.map((claim) => moved(claim, changes, state)).filter(({ from, to }) => from < to);
      for (const effect of effects) if (effect.is(setClaims)) found = effect.value;
      return found;
    },
  });
  const moved = (claim, changes, state) => {
    const [from, to] = [changes.mapPos(claim.from, 1), changes.mapPos(claim.to, -1)];
    let isTouched = false;
    changes.iterChangedRanges((start, end) => (isTouched ||= start < claim.to && end > claim.from));
    if (!isTouched) return { ...claim, from, to };
    const isSame = lettersOf(state.sliceDoc(from, Math.max(from, to))) === claim.letters;
    return { ...claim, from, to, state: isSame ? claim.verdict : "edited" };
  };
  const labels = StateField.define({
    create: ({ doc }) => defined(doc.toString()),
    update: (value, { docChanged, newDoc }) => (docChanged ? defined(newDoc.toString()) : value),
  });
  const defined = (text) => new Map([...text.matchAll(DEFINITION)].map(([, label, entry]) => [label, entry.trim()]));

  const claimAt = (state, place) => state.field(claims).find(({ from, to }) => from <= place && place < to);
  const stateAt = (state, label, place) => {
    if (!state.field(labels).has(label)) return "undefined";
    return claimAt(state, place)?.state ?? "unchecked";
  };
  const marksIn = function* (doc, from, to) {
    for (const found of doc.sliceString(from, to).matchAll(MARK)) {
      const start = from + found.index;
      const end = start + found[0].length;
      const isDefinition = doc.sliceString(end, end + 1) === ":" && !doc.sliceString(doc.lineAt(start).from, start).trim();
      yield { start, end, label: found[1], isDefinition };
    }
  };

  // Chips

  class Chip extends WidgetType {
    constructor(label, state, isShown) {
      super();
      Object.assign(this, { label, state, isShown });
    }
    eq({ label, state, isShown }) {
      return label === this.label && state === this.state && isShown === this.isShown;
    }
    toDOM() {
      const [icon, words] = STATES[this.state];
      const chip = document.createElement("span");
      chip.className = `chip is-${this.state}${this.isShown ? " is-shown" : ""}`;
      chip.textContent = `${icon} ${this.label}`;
      chip.setAttribute("role", "img");
      chip.setAttribute("aria-label", `Reference ${this.label}: ${words.toLowerCase()}`);
      chip.title = `${words}. Click for the passages.`;
      return chip;
    }
    ignoreEvent() {
      return false;
    }
  }
  const underline = Object.fromEntries([...OPEN].map((state) => [state, Decoration.mark({ class: `claim is-${state}` })]));
  const definition = Decoration.mark({ class: "definition" });
  const decorate = ({ state, visibleRanges }) => {
    const shown = state.field(card);
    const [chips, lines] = [new RangeSetBuilder(), new RangeSetBuilder()];
    for (const { from, to } of visibleRanges) {
      for (const { start, end, label, isDefinition } of marksIn(state.doc, from, to)) {
        if (isDefinition) chips.add(start, end, definition);
        else {
          const widget = new Chip(label, stateAt(state, label, start), shown?.at === start);
          chips.add(start, end, Decoration.replace({ widget }));
        }
      }
    }
    const open = state.field(claims).filter((claim) => claim.state !== "supported" && claim.state in underline);
    for (const claim of open.sort((one, other) => one.from - other.from)) lines.add(claim.from, claim.to, underline[claim.state]);
    return { chips: chips.finish(), lines: lines.finish() };
  };
  const chips = ViewPlugin.fromClass(
    class {
      constructor(view) {
        this.found = decorate(view);
      }
      update({ view, docChanged, viewportChanged, transactions }) {
        const hasEffect = transactions.some(({ effects }) => effects.length);
        if (docChanged || viewportChanged || hasEffect) this.found = decorate(view);
      }
    },
    {
      provide: (plugin) => [
        EditorView.decorations.of((view) => view.plugin(plugin)?.found.chips ?? Decoration.none),
        EditorView.decorations.of((view) => view.plugin(plugin)?.found.lines ?? Decoration.none),
        EditorView.atomicRanges.of((view) => view.plugin(plugin)?.found.chips ?? Decoration.none),
      ],
      eventHandlers: {
        mousedown(event, view) {
          const chip = event.target.closest?.(".chip");
          if (!chip) return false;
          const at = view.posAtDOM(chip);
          view.dispatch({ effects: showCard.of(view.state.field(card)?.at === at ? null : at) });
          return true;
        },
      },
    },
  );

  // The card

  const showCard = StateEffect.define({ map: (at, changes) => at && changes.mapPos(at, 1) });
  class Card extends WidgetType {
    constructor(shown) {
      super();
      this.shown = shown;
    }
    eq({ shown }) {
      return JSON.stringify(shown) === JSON.stringify(this.shown);
    }
    toDOM(view) {
      return editor.cardOf(this.shown, {
        close: () => close(view),
        define: () => {
          const end = view.state.doc.length;
          const isLineEnd = !end || view.state.sliceDoc(end - 1) === "\n";
          const insert = `${isLineEnd ? "" : "\n\n"}[^${this.shown.label}]: `;
          const changes = { from: end, insert: `${insert}\n` };
          view.dispatch({ changes, selection: { anchor: end + insert.length }, scrollIntoView: true, userEvent: "input" });
          close(view);
        },
      });
    }
    ignoreEvent() {
      return true;
    }
  }
  const shownAt = (state, at) => {
    const [mark] = marksIn(state.doc, at, Math.min(state.doc.length, at + 90));
    const label = mark?.start === at ? mark.label : "";
    const claim = claimAt(state, at);
    const kind = label ? stateAt(state, label, at) : (claim?.state ?? "unchecked");
    const { reason = "", passages = [] } = claim ?? {};
    return { at, label, state: kind, title: STATES[kind][1], reason, passages, entry: state.field(labels).get(label) ?? "" };
  };
  const card = StateField.define({
    create: () => null,
    update(value, { changes, docChanged, effects, state }) {
      let at = value && (docChanged ? changes.mapPos(value.at, 1) : value.at);
      for (const effect of effects) if (effect.is(showCard)) at = effect.value;
      return at === null ? null : shownAt(state, at);
    },
    provide: (field) =>
      EditorView.decorations.compute([field], (state) => {
        const shown = state.field(field);
        if (!shown) return Decoration.none;
        const widget = Decoration.widget({ widget: new Card(shown), block: true, side: 1 });
        return Decoration.set(widget.range(state.doc.lineAt(shown.at).to));
      }),
  });
  const close = (view) => {
    if (!view.state.field(card)) return false;
    view.dispatch({ effects: showCard.of(null) });
    view.focus();
    return true;
  };
  const openAtCursor = (view) => {
    const { head } = view.state.selection.main;
    const line = view.state.doc.lineAt(head);
    const marks = [...marksIn(view.state.doc, line.from, line.to)].filter(({ isDefinition }) => !isDefinition);
    const mark = marks.find(({ start, end }) => start <= head && head <= end) ?? marks.find(({ start }) => start > head);
    if (!mark) return false;
    show(view, mark.start);
    return true;
  };
  const show = (view, at) => {
    view.dispatch({ effects: showCard.of(at) });
    const { label, title, reason } = view.state.field(card);
    editor.announce(`${label ? `Reference ${label}. ` : ""}${title}. ${reason}`);
  };

  // What is open

  const openPlaces = (state) => {
    const found = state.field(claims).filter((claim) => OPEN.has(claim.state));
    const places = found.map(({ from, to }) => {
      const marks = [...marksIn(state.doc, from, to)];
      return { from, at: marks.at(-1)?.start ?? from };
    });
    for (const { start, label, isDefinition } of marksIn(state.doc, 0, state.doc.length)) {
      if (!isDefinition && !state.field(labels).has(label)) places.push({ from: start, at: start });
    }
    return places.sort((one, other) => one.from - other.from);
  };
  const goToOpen = (view, backwards = false) => {
    const places = openPlaces(view.state);
    if (!places.length) {
      return document.dispatchEvent(new CustomEvent("studio:toast", { detail: { text: "No open claims." } }));
    }
    const { head } = view.state.selection.main;
    const before = places.findLast(({ from }) => from < head) ?? places.at(-1);
    const after = places.find(({ from }) => from > head) ?? places[0];
    const next = backwards ? before : after;
    view.dispatch({
      selection: EditorSelection.cursor(next.from),
      effects: EditorView.scrollIntoView(next.from, { y: "center" }),
    });
    view.focus();
    show(view, next.at);
    return true;
  };

  Object.assign(editor, {
    claims: [claims, labels, card, chips, Prec.highest(keymap.of([{ key: "Escape", run: close }, { key: "Mod-Enter", run: openAtCursor }]))],
    openPlaces,
    definedLabels: (state) => state.field(labels),
    goToOpen,
    // New results of the check. A sentence that was changed meanwhile is not found; the next results will have it.
    updateClaims(view, sentences) {
      const found = locate(sentences, view.state.doc.toString());
      view.dispatch({ effects: setClaims.of(found.filter(({ from, to }) => from < to)) });
      document.dispatchEvent(new Event("studio:claims"));
    },
  });
})();
