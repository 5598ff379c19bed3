/** How the page looks to this person: kept in this browser. The first frame is drawn by theme.js. */
import { effect, signal } from "../../vendor/signals.js";
import { recall, remember } from "../base/memory.js";

export const THEMES = /** @type {const} */ (["auto", "light", "dark"]);

/** @type {import("../../vendor/signals.js").Signal<"auto" | "light" | "dark">} */
export const theme = signal(recall("theme", "auto"));

effect(() => {
  if (theme.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});

/** @param {"auto" | "light" | "dark"} chosen */
export function chooseTheme(chosen) {
  theme.value = chosen;
  remember("theme", chosen === "auto" ? null : chosen);
}
