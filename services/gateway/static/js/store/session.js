/** Who is there, what they may do, whether the line holds, and what is said to them in passing. */
import { computed, signal } from "../../vendor/signals.js";
import { ApiError, get, onSignedOut, post } from "../base/api.js";
import { place } from "../base/places.js";
import { knows, say } from "../base/words.js";

/** @typedef {import("../../vendor/signals.js").Signal<any>} AnySignal */

/** "over": it ended while the page was open. @type {import("../../vendor/signals.js").Signal<"unknown" | "in" | "over">} */
export const session = signal("unknown");

/** @type {import("../../vendor/signals.js").Signal<any>} */
export const me = signal(null);

/** @type {import("../../vendor/signals.js").Signal<import("../live/line.js").LineState>} */
export const line = signal("connecting");

export const may = (/** @type {string} */ scope) => me.value?.scopes.includes(scope) ?? false;
export const isOperator = computed(() => may("operate"));

/** What a screen reader hears next. */
export const announcement = signal("");

export function announce(/** @type {string} */ text) {
  announcement.value = text;
}

/** @typedef {{id: number, text: string, tone: "plain" | "bad", action?: {words: string, run: () => void}}} Toast */

/** @type {import("../../vendor/signals.js").Signal<Toast[]>} */
export const toasts = signal([]);

let counted = 0;

/** Say something at the foot of the page, perhaps with a way back. @param {string} text @param {Partial<Toast>} [more] */
export function tell(text, more = {}) {
  counted += 1;
  toasts.value = [...toasts.value.slice(-2), { id: counted, text, tone: "plain", ...more }];
}

/** @param {number} id */
export function hush(id) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Say what a refusal means. @param {unknown} error */
export function problemInWords(error) {
  if (!(error instanceof ApiError)) return say("problem.other", String(error));
  return knows(`problem.${error.code}`) ? say(`problem.${error.code}`) : say("problem.other", error.detail);
}

/** Do something of the person's; when it fails, say why. Answers whether it worked. @param {() => Promise<unknown>} work */
export async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    // The end of a session is drawn by itself.
    if (!(error instanceof ApiError && error.status === 401)) tell(problemInWords(error), { tone: "bad" });
    return false;
  }
}

export const toSignIn = () => `/signin?return_to=${encodeURIComponent(place.value.path)}`;

onSignedOut(() => {
  // Whoever never was in is taken there at once; whoever was keeps what is on the page.
  if (session.value === "in") session.value = "over";
  else if (session.value === "unknown") location.replace(toSignIn());
});

/** Find out who is there; without an answer, ask again until there is one. */
export async function arrive() {
  try {
    me.value = await get("/api/me");
    session.value = "in";
  } catch (error) {
    if (/** @type {ApiError} */ (error).status === 401) return;
    line.value = "lost";
    setTimeout(arrive, 2_000);
  }
}

export async function leave() {
  if (await attempt(() => post("/signout"))) location.replace("/signin");
}
