// Passkeys: a form with data-passkey asks the browser for a credential and sends it. “create” and “get” use the options in the
// page; “login” gets new ones first.
(() => {
  const bytesOf = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
  const textOf = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const withBytes = (options) => {
    const { publicKey } = options;
    const decoded = { ...publicKey, challenge: bytesOf(publicKey.challenge) };
    if (publicKey.user) decoded.user = { ...publicKey.user, id: bytesOf(publicKey.user.id) };
    for (const name of ["excludeCredentials", "allowCredentials"]) {
      if (publicKey[name]) decoded[name] = publicKey[name].map((known) => ({ ...known, id: bytesOf(known.id) }));
    }
    return { publicKey: decoded };
  };
  const asJson = (credential) => {
    const { response } = credential;
    const sent = { clientDataJSON: textOf(response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) sent[name] = textOf(response[name]);
    }
    if (response.getTransports) sent.transports = response.getTransports();
    const { id, type } = credential;
    return { id, type, rawId: textOf(credential.rawId), response: sent, clientExtensionResults: credential.getClientExtensionResults() };
  };

  const optionsFor = async (form) => {
    if (form.dataset.passkey !== "login") return JSON.parse(document.getElementById("passkey-options").textContent);
    const response = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`${response.status}`);
    return (await response.json()).request_options;
  };
  const askBrowser = async (form) => {
    const options = withBytes(await optionsFor(form));
    if (form.dataset.passkey !== "create") return navigator.credentials.get(options);
    // A passkey, not merely a second factor: it is kept with the account's name, and asks for PIN or fingerprint.
    options.publicKey.authenticatorSelection = {
      ...options.publicKey.authenticatorSelection, residentKey: "required", requireResidentKey: true, userVerification: "required",
    };
    return navigator.credentials.create(options);
  };

  const MESSAGES = {
    NotAllowedError: "No passkey was used. Try again.",
    InvalidStateError: "This device has a passkey for your account already.",
    SecurityError: "Passkeys need a secure address: https, or localhost.",
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.passkey) return;
    event.preventDefault();
    const problem = form.querySelector(".errorlist");
    problem.hidden = true;
    try {
      if (!window.PublicKeyCredential) throw new DOMException("", "SecurityError");
      form.elements.credential.value = JSON.stringify(asJson(await askBrowser(form)));
      form.submit();
    } catch (error) {
      problem.textContent = MESSAGES[error.name] ?? "The passkey could not be used. Reload the page and try again.";
      problem.hidden = false;
    }
  });
})();
