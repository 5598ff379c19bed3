/** The models that may be named. The last answer is kept, so that the composer is drawn at once. */
import { signal } from "../../vendor/signals.js";
import { get } from "../base/api.js";
import { recall, remember } from "../base/memory.js";

/** @typedef {import("../types.js").Model} Model */

const ASK_MS = 15_000;

/** @returns {Model[]} */
function recalled() {
  const kept = recall("models", /** @type {Model[]} */ ([]));
  return Array.isArray(kept) && kept.every((model) => model?.id && Array.isArray(model.abilities)) ? kept : [];
}

/** @type {import("../../vendor/signals.js").Signal<Model[]>} */
export const models = signal(recalled());

export async function loadModels() {
  try {
    models.value = (await get("/api/models")).models;
    remember("models", models.value);
  } catch {
    // The composer works with what it knew; the server judges in any case.
  }
}

/** A provider may fail, or be back, while somebody looks: ask now and then; answers how to stop. */
export function followModels() {
  void loadModels();
  const timer = setInterval(() => document.hidden || void loadModels(), ASK_MS);
  return () => clearInterval(timer);
}
