// Who else edits this text, and in which section; and that somebody has saved it since it was opened.
(() => {
  const SAY_EVERY = 20000; // milliseconds, so that others know that this editor is still there
  const SAY_AFTER = 400; // the cursor has come to rest
  const GONE_AFTER = 50000;
  const RETRY_AFTER = [2000, 30000]; // at first, at most
  const list = document.getElementById("editors");
  const { user } = document.body.dataset;
  const others = new Map(); // by tab
  let socket = null;
  let section = "";
  let saying;
  let wait = RETRY_AFTER[0];
  let isOver = false;

  const say = () => {
    clearTimeout(saying);
    saying = setTimeout(say, SAY_EVERY);
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ section }));
  };
  const paint = () => {
    const shown = document.getElementById("editors"); // a refused save replaces the form
    const rows = [...others.values()].map(({ name, section: place }) => {
      const who = name === user ? "You, in another tab," : name;
      const where = place ? `in “${place}”` : "at the beginning";
      const verb = name === user ? "are" : "is";
      return Object.assign(document.createElement("li"), { textContent: `${who} ${verb} ${where}` });
    });
    shown.replaceChildren(...rows);
    shown.hidden = !rows.length;
  };
  const dropGone = () => {
    for (const [editor, { at }] of others) if (Date.now() - at > GONE_AFTER) others.delete(editor);
    paint();
  };
  const saved = ({ revision, author }) => {
    const opened = document.getElementById("id_opened_at").value;
    if (revision <= Number(opened) || author === user) return;
    document.getElementById("newer-text").textContent = `${author} has saved revision ${revision}.`;
    const link = document.querySelector("#newer a");
    link.href = `${link.href.split("?")[0]}?${new URLSearchParams({ before: opened, after: revision })}`;
    document.getElementById("newer").hidden = false;
  };
  const heard = (message) => {
    const { type, editor, name } = message;
    if (type === "editor") {
      if (!others.has(editor)) window.studioEditor.announce(`${name} is editing this text, too.`);
      others.set(editor, { name, section: message.section, at: Date.now() });
      paint();
    }
    if (type === "left" && others.delete(editor)) paint();
    if (type === "saved") saved(message);
    if (type === "error") isOver = true; // no access, or too many connections
  };
  const connect = () => {
    if (isOver || socket?.readyState <= WebSocket.OPEN) return;
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${list.dataset.socket}`);
    socket.addEventListener("open", () => {
      wait = RETRY_AFTER[0];
      say();
    });
    socket.addEventListener("message", ({ data }) => heard(JSON.parse(data)));
    socket.addEventListener("close", () => {
      others.clear();
      paint();
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, RETRY_AFTER[1]);
    });
  };

  document.addEventListener("studio:section", ({ detail }) => {
    if (detail.section === section) return;
    section = detail.section;
    clearTimeout(saying);
    saying = setTimeout(say, SAY_AFTER);
  });
  document.addEventListener("studio:saved", () => (document.getElementById("newer").hidden = true));
  document.addEventListener("studio:resumed", () => {
    isOver = false;
    connect();
  });
  addEventListener("pagehide", () => socket?.close());
  setInterval(dropGone, 10000);
  connect();
})();
