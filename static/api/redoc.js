// ReDoc would show its maker's logo from its maker's server. Our policy refuses that and says so in the console; so it is left out.
const isForeign = (address) => String(address).startsWith("https://cdn.redoc.ly/");
const image = HTMLImageElement.prototype;
const { get, set } = Object.getOwnPropertyDescriptor(image, "src");
Object.defineProperty(image, "src", { get, set(address) { if (!isForeign(address)) set.call(this, address); } });
image.setAttribute = function (name, value) {
  if (!isForeign(value)) Element.prototype.setAttribute.call(this, name, value);
};

// The search would need a worker made of a blob, which our policy forbids; browsers have a search of their own.
const place = document.getElementById("redoc");
Redoc.init(place.dataset.schema, { disableSearch: true, nonce: place.dataset.nonce }, place);
