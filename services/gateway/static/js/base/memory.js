/** What this browser keeps: small JSON values, and nothing breaks where storage is full or forbidden. */

const PREFIX = "sorami.";

/**
 * @template T
 * @param {string} name
 * @param {T} fallback
 * @returns {T}
 */
export function recall(name, fallback, storage = () => localStorage) {
  try {
    const text = storage().getItem(PREFIX + name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

/** @param {string} name @param {unknown} value */
export function remember(name, value, storage = () => localStorage) {
  try {
    if (value === null || value === undefined) storage().removeItem(PREFIX + name);
    else storage().setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // A private window without storage still works; it forgets on reload.
  }
}

/** Storage of this tab alone. */
export const ofTab = () => sessionStorage;
