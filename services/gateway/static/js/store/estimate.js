/** How long the wish in the composer will take and what it costs: what is known, or nothing said. */
import { computed } from "../../vendor/signals.js";
import { costOf } from "../base/abilities.js";
import { draft, fit, model } from "./draft.js";
import { items } from "./gallery.js";

const LIKE = 7;

/** The middle of what its like took before, in milliseconds. */
export const estimate = computed(() => {
  const { kind } = draft.value;
  const [id, { size }] = [model.value?.id, fit.value];
  const times = items.value
    .filter((item) => item.kind === kind && item.model === id && item.size === size && !item.fromBackend)
    .filter((item) => item.completedAt !== null)
    .slice(0, LIKE)
    .map((item) => /** @type {number} */ (item.completedAt) - item.createdAt)
    .sort((a, b) => a - b);
  return times.length < 2 ? null : times[Math.floor(times.length / 2)];
});

/** What the provider will charge for it, where that is known. */
export const cost = computed(() => costOf(model.value, fit.value.count, draft.value.kind === "video" ? fit.value.seconds : 1));
