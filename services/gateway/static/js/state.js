/** What the whole page shares: who is there, which view, the line's state, the picture that is open. */
import { signal } from "../vendor/signals.js";

/** @typedef {import("./types.js").Generation} Generation */
/** @typedef {import("./types.js").Kind} Kind */

/** @type {import("../vendor/signals.js").Signal<"unknown" | "in" | "out">} */
export const session = signal("unknown");

/** @type {import("../vendor/signals.js").Signal<import("./events.js").LineState>} */
export const line = signal("connecting");

/** @type {import("../vendor/signals.js").Signal<"create" | "gallery">} */
export const view = signal("create");

/**
 * The picture in the large view.
 * @type {import("../vendor/signals.js").Signal<{generation: Generation, index: number} | null>}
 */
export const opened = signal(null);

/** What a screen reader hears next. */
export const announcement = signal("");

export function announce(/** @type {string} */ text) {
  announcement.value = text;
}

/** Whoever is not signed in goes to the sign-in page and comes back; what was being written is kept. */
export function signedOut() {
  session.value = "out";
  location.replace(`/signin?return_to=${encodeURIComponent(placeOf(location.pathname))}`);
}

/** Addresses of the page and what each shows. @type {Record<string, {view: "create" | "gallery", kind?: Kind}>} */
const ROUTES = {
  "/": { view: "create" },
  "/generate-images": { view: "create", kind: "image" },
  "/generate-videos": { view: "create", kind: "video" },
  "/gallery": { view: "gallery" },
};

/** An address of this page, or its beginning: never somewhere else. @param {string} path */
export const placeOf = (path) => (Object.hasOwn(ROUTES, path) ? path : "/");

export const routeOf = (/** @type {string} */ path) => ROUTES[path] ?? ROUTES["/"];

/** Go to a view of this page without loading it anew. @param {string} path */
export function go(path) {
  if (location.pathname !== path) history.pushState(null, "", path);
  view.value = routeOf(path).view;
  window.scrollTo({ top: 0 });
}
