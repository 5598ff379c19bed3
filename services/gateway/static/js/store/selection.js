/** Which generations are chosen, and the one from which a range is drawn. */
import { computed, signal } from "../../vendor/signals.js";
import { filters, items } from "./gallery.js";

/** Whether a press chooses instead of opening. */
export const selecting = signal(false);

/** @type {import("../../vendor/signals.js").Signal<ReadonlySet<string>>} */
export const selected = signal(new Set());

export const chosen = computed(() => items.value.filter((item) => selected.value.has(item.id)));

let anchor = "";

/** @param {string} id */
export function toggle(id) {
  const next = new Set(selected.value);
  if (!next.delete(id)) next.add(id);
  anchor = id;
  selected.value = next;
  selecting.value = true;
}

/** Choose everything between the last one chosen and this. @param {string} id */
export function extendTo(id) {
  const from = items.value.findIndex((item) => item.id === anchor);
  const to = items.value.findIndex((item) => item.id === id);
  if (from === -1 || to === -1) return toggle(id);
  const between = items.value.slice(Math.min(from, to), Math.max(from, to) + 1);
  selected.value = new Set([...selected.value, ...between.map((item) => item.id)]);
  selecting.value = true;
}

/** Choose all that is loaded. */
export function chooseAll() {
  selected.value = new Set(items.value.map((item) => item.id));
  selecting.value = true;
}

export function chooseNone() {
  selected.value = new Set();
  selecting.value = false;
  anchor = "";
}

// What another list shows is another choice.
filters.subscribe(() => chooseNone());
