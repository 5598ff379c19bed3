/** What this browser asked for. The stream says nothing of prompts, and a failure should survive a reload. */
import { signal } from "../vendor/signals.js";
import { recall, remember } from "./memory.js";

/** @typedef {import("./types.js").Asked} Asked */

const KEPT = 60;

/** @returns {Asked[]} */
function recalled() {
  const kept = recall("asked", /** @type {Asked[]} */ ([]));
  return Array.isArray(kept)
    ? kept.filter((one) => one && one.id && one.body && typeof one.body.prompt === "string")
    : [];
}

const list = signal(recalled());

// Another tab of this browser asks too.
window.addEventListener("storage", (event) => {
  if (event.key === "sorami.asked") list.value = recalled();
});

export const all = () => list.value;

/** @param {string} id */
export const askedFor = (id) => list.value.find((one) => one.id === id) ?? null;

/** @param {Asked} asked */
export function add(asked) {
  list.value = [asked, ...recalled().filter((one) => one.id !== asked.id)].slice(0, KEPT);
  remember("asked", list.value);
}

/** @param {string[]} ids */
export function forget(ids) {
  if (ids.length === 0) return;
  const gone = new Set(ids);
  list.value = recalled().filter((one) => !gone.has(one.id));
  remember("asked", list.value);
}
