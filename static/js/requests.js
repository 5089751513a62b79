// Requests that fail: the page says what happened and keeps what was typed. If the session has ended, a dialog over the page
// asks to sign in, and the request is sent again.
(() => {
  const { user, signIn } = document.body.dataset; // both missing on public pages
  const dialog = document.getElementById("sign-in");
  const banner = document.getElementById("signed-out");
  let isSignedOut = false;
  let pending = null; // the user's own request that is to be sent again: { form, submitter, attempts }
  let lastRenewal = 0; // of a form token, in milliseconds
  const RENEW_EVERY = 30000; // for the page's own requests: a token that is refused right away is refused for another reason

  const announce = (text, isError) => {
    document.dispatchEvent(new CustomEvent("studio:toast", { detail: { text, isError } }));
  };
  const emit = (name) => document.dispatchEvent(new Event(name));

  // Polls, previews and estimates are the page's own requests: their failures must not interrupt the user.
  const isByUser = ({ triggeringEvent }) => ["submit", "click"].includes(triggeringEvent?.type);
  const isSignIn = ({ path }) => path === signIn || path.startsWith(`${signIn}?`);

  // Signing in again

  const askToSignIn = () => {
    const query = new URLSearchParams({ username: user });
    htmx.ajax("GET", `${signIn}?${query}`, { target: "#sign-in-body", swap: "innerHTML" });
  };
  const setSignedOut = () => {
    isSignedOut = true;
    banner.hidden = dialog.open;
    emit("studio:signed-out");
  };
  const remember = (detail) => {
    const form = detail.elt.closest("form");
    if (form === pending?.form) pending.attempts += 1;
    else pending = form && { form, submitter: detail.requestConfig.triggeringEvent.submitter, attempts: 1 };
  };
  const sendAgain = () => {
    if (!pending?.form.isConnected) return;
    const { form, submitter } = pending;
    // htmx sends the name of a button that was clicked; requestSubmit() would leave it out.
    if (submitter?.isConnected) submitter.click();
    else form.requestSubmit();
  };

  if (dialog) {
    document.getElementById("sign-in-open").addEventListener("click", askToSignIn);
    dialog.addEventListener("close", () => {
      banner.hidden = !isSignedOut;
      if (isSignedOut) pending = null;
    });
  }
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target?.id !== "sign-in-body") return;
    isSignedOut = true;
    banner.hidden = true;
    if (!dialog.open) dialog.showModal();
    document.getElementById("sign-in-password").focus();
  });
  document.addEventListener("studio:signed-in", ({ detail }) => {
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = detail.token;
    isSignedOut = false;
    banner.hidden = true;
    if (dialog.open) {
      dialog.close();
      announce("You are signed in again.");
    }
    emit("studio:resumed");
    sendAgain();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isSignedOut && !isByUser(event.detail.requestConfig) && !isSignIn(event.detail.requestConfig)) event.preventDefault();
  });

  // What went wrong

  const MESSAGES = {
    400: "The server could not read this request. A text may be too large.",
    403: "You don’t have permission to do this.",
    404: "This no longer exists. It may have been deleted.",
    409: "This has changed in the meantime. Reload the page and try again.",
    413: "This is too large to send. Leave out a text or a document.",
    429: "Too many requests. Wait a moment and try again.",
    503: "The studio is busy. Try again in a moment.",
  };
  const messageFor = (status) => MESSAGES[status] ?? "Something went wrong in the studio. It has been logged. Try again.";
  const kept = "Nothing you typed is lost.";

  let isFailing = false; // says once that the page's own requests fail
  const report = (detail, message) => {
    if (isByUser(detail.requestConfig)) announce(`${message} ${kept}`, true);
    else if (!isFailing) announce(message, true);
    isFailing ||= !isByUser(detail.requestConfig);
  };
  document.addEventListener("htmx:responseError", ({ detail }) => {
    const { status } = detail.xhr;
    const isExpired = detail.xhr.getResponseHeader("Studio-Form-Expired") === "true";
    if (user && (status === 401 || isExpired)) {
      const byUser = isByUser(detail.requestConfig);
      if (byUser && !isSignIn(detail.requestConfig)) remember(detail);
      if (isExpired && (byUser ? pending?.attempts > 1 : Date.now() - lastRenewal < RENEW_EVERY)) {
        pending = null;
        report(detail, "The form was not accepted. Allow cookies for this site, then reload the page.");
      } else if (byUser || isExpired) {
        lastRenewal = Date.now();
        askToSignIn();
      } else {
        setSignedOut();
      }
    } else {
      const isSentence = detail.xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
      report(detail, isSentence ? detail.xhr.responseText : messageFor(status));
    }
  });
  document.addEventListener("htmx:sendError", ({ detail }) => report(detail, "The studio cannot be reached. Check your connection."));
  document.addEventListener("htmx:timeout", ({ detail }) => report(detail, "The studio takes too long to answer. Try again."));
  document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
    if (detail.xhr.status >= 400) return;
    isFailing = false;
    if (detail.elt === pending?.form) pending = null;
  });
  document.addEventListener("studio:session-ended", setSignedOut); // found by a script's own request
})();
