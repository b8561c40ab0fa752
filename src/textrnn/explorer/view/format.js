// Elements and numbers. Everything that comes from a model or a text is put in as text, never as markup.

/** An element: `text` is its text, `on` its listeners, everything else an attribute. */
export function el(tag, { text, on = {}, ...attributes } = {}, ...children) {
  return finished(document.createElement(tag), text, on, attributes, children);
}

export function svg(tag, { text, on = {}, ...attributes } = {}, ...children) {
  return finished(document.createElementNS("http://www.w3.org/2000/svg", tag), text, on, attributes, children);
}

function finished(element, text, on, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

/** Sets a property only where it changes: the browser lays out what is written, changed or not. */
export function set(target, name, value) {
  if (target[name] !== value) target[name] = value;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

const MINUS = "\u2212";

/** A number with a proper minus sign. */
export function number(value, digits = 3) {
  if (!Number.isFinite(value)) return "not finite";
  if (value !== 0 && (Math.abs(value) < 0.5 * 10 ** -digits || Math.abs(value) >= 1e6)) {
    return value.toExponential(1).replace(/-/g, MINUS);
  }
  return value.toFixed(digits).replace("-", MINUS);
}

/** The same, with a plus sign before what is not negative. */
export const signed = (value, digits = 3) => (value >= 0 ? "+" : "") + number(value, digits);

/** A number as a term that is added: "+ 0.5" or "− 0.5". */
export const added = (value, digits = 3) => (value < 0 ? `${MINUS} ` : "+ ") + number(Math.abs(value), digits);

/** A token as it is shown: white space and characters without a shape of their own have names. */
export function shown(token) {
  if (token === " ") return "\u2423";
  return Array.from(token, (character) => {
    const hidden = /[\p{Cc}\p{Cf}\p{Z}]/u.test(character);
    return hidden ? `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}` : character;
  }).join("");
}

/** At most so many characters. */
export function short(text, most = 40) {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}

export function size(bytes) {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
