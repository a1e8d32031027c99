/** The browser's local storage, as JSON; without it, where a player has forbidden it, nothing outlives the page. */

/** Null if there is no value under this name. */
export function readStored(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

export function store(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // storage is forbidden or full
  }
}
