/** What lies open over the page: a picture in the large view, or a question about some generations. */
import { signal } from "../../vendor/signals.js";
import { generation } from "../base/shapes.js";
import { detail, items } from "./gallery.js";
import { attempt } from "./session.js";

/** @typedef {import("../types.js").Generation} Generation */

/** @type {import("../../vendor/signals.js").Signal<{generation: Generation, index: number} | null>} */
export const opened = signal(null);

/** The question that is asked. @type {import("../../vendor/signals.js").Signal<{what: "share" | "album", those: Generation[], albumId?: string} | null>} */
export const question = signal(null);

/** Open a generation by its id, wherever it is named. @param {string} id */
export async function openById(id) {
  const known = items.value.find((item) => item.id === id);
  if (known) opened.value = { generation: known, index: 0 };
  else await attempt(async () => (opened.value = { generation: generation(await detail(id)), index: 0 }));
}
