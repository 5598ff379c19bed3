/** Every word of the page, in French and in English, and the language the person reads. */
import { effect, signal } from "../../vendor/signals.js";
import { recall, remember } from "./memory.js";
import { en } from "./words/en.js";
import { fr } from "./words/fr.js";

/** @typedef {"en" | "fr"} Language */

const DICTIONARIES = { en, fr };

/** @returns {Language} */
function preferred() {
  const kept = recall("language", null);
  if (kept === "en" || kept === "fr") return kept;
  const asked = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return asked.find((tag) => tag === "fr" || tag === "en") === "fr" ? "fr" : "en";
}

/** @type {import("../../vendor/signals.js").Signal<Language>} */
export const language = signal(preferred());

effect(() => {
  document.documentElement.lang = language.value;
});

/** @param {Language} chosen */
export function choose(chosen) {
  language.value = chosen;
  remember("language", chosen);
}

/**
 * Say something in the person's language.
 * @param {string} key
 * @param {any[]} values
 * @returns {string}
 */
export function say(key, ...values) {
  const words = /** @type {any} */ (DICTIONARIES[language.value])[key];
  if (words === undefined) throw new Error(`no words for ${key}`);
  return typeof words === "function" ? words(...values) : words;
}

/** @param {string} key */
export const knows = (key) => key in DICTIONARIES[language.value];
