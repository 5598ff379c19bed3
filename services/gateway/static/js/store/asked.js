/** What this browser asked for, to put all of it back into the composer: the API does not tell every field again. */
import { recall, remember } from "../base/memory.js";

/** @typedef {{id: string, kind: import("../types.js").Kind, body: import("../types.js").RequestBody}} Asked */

const KEPT = 60;

/** @returns {Asked[]} */
function all() {
  const kept = recall("asked", /** @type {Asked[]} */ ([]));
  return Array.isArray(kept) ? kept.filter((one) => one?.id && typeof one.body?.prompt === "string") : [];
}

/** @param {string} id */
export const askedFor = (id) => all().find((one) => one.id === id) ?? null;

/** @param {string} id @param {Asked["kind"]} kind @param {Asked["body"]} body */
export const add = (id, kind, body) =>
  remember("asked", [{ id, kind, body }, ...all().filter((one) => one.id !== id)].slice(0, KEPT));
