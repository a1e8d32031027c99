/** What this browser keeps, under a name each; a browser that keeps nothing goes without. */

/** Null where there is nothing. */
export function readKept(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // then it ends with the page
  }
}
