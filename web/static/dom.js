/** Elements of the page. Texts become text nodes and never markup, so a player's name cannot be a script. */

/** The element with this id. */
export function find(id) {
  return document.getElementById(id);
}

/**
 * A new element: make("button", { class: "key", type: "button", onclick: send }, "Send").
 * Properties whose value is a function are listeners, true is an empty attribute, and null or false none.
 */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Replaces what is in an element; null is nothing. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child !== null));
}

/** A player's name, whose direction of writing does not change that of what is around it. */
export function name(username) {
  return make("bdi", {}, username);
}

/** Fills the elements of the HTML that have data-text or data-label, the name of a text. */
export function fillTexts(root, texts) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", texts[element.dataset.label]);
    if (element.matches("button")) element.title = texts[element.dataset.label];
  }
}
