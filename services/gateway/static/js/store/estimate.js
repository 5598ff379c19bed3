/** How long the wish in the composer will take and what it costs: what is known, or nothing said. */
import { computed } from "../../vendor/signals.js";
import { request } from "./draft.js";
import { items } from "./gallery.js";

const LIKE = 7;

/** The middle of what its like took before, in milliseconds. */
export const estimate = computed(() => {
  const { kind, body } = request.value;
  const times = items.value
    .filter((item) => item.kind === kind && item.model === body.model && item.size === body.size && !item.fromBackend)
    .filter((item) => item.completedAt !== null)
    .slice(0, LIKE)
    .map((item) => /** @type {number} */ (item.completedAt) - item.createdAt)
    .sort((a, b) => a - b);
  return times.length < 2 ? null : times[Math.floor(times.length / 2)];
});
