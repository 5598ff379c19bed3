/** Every word of the page, in French and in English, and the language the person reads. */
import { effect, signal } from "../../vendor/signals.js";
import { recall, remember } from "./memory.js";

/** @typedef {"en" | "fr"} Language */

/** One language is fetched; the other when it is chosen. @type {Record<Language, () => Promise<any>>} */
const FETCHED = {
  en: async () => (await import("./words/en.js")).en,
  fr: async () => (await import("./words/fr.js")).fr,
};

/** @returns {Language} */
function preferred() {
  const kept = recall("language", null);
  if (kept === "en" || kept === "fr") return kept;
  const asked = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return asked.find((tag) => tag === "fr" || tag === "en") === "fr" ? "fr" : "en";
}

/** @type {import("../../vendor/signals.js").Signal<Language>} */
export const language = signal(preferred());

let words = await FETCHED[language.value]();

effect(() => {
  document.documentElement.lang = language.value;
});

/** @param {Language} chosen */
export async function choose(chosen) {
  words = await FETCHED[chosen]();
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
  // Read so that whoever says something says it again in another language.
  void language.value;
  const found = words[key];
  if (found === undefined) throw new Error(`no words for ${key}`);
  return typeof found === "function" ? found(...values) : found;
}

/** @param {string} key */
export const knows = (key) => key in words;
