/** The page's addresses, and going from one to another without loading anew. */
import { signal } from "../../vendor/signals.js";

/** @typedef {"create" | "gallery" | "albums" | "settings" | "operate"} View */

/** @type {Record<string, {view: View, kind?: import("../types.js").Kind}>} */
const PLACES = {
  "/": { view: "create" },
  "/generate-images": { view: "create", kind: "image" },
  "/generate-videos": { view: "create", kind: "video" },
  "/gallery": { view: "gallery" },
  "/albums": { view: "albums" },
  "/settings": { view: "settings" },
  "/operate": { view: "operate" },
};

/** An address of this page, or its beginning: never somewhere else. @param {string} path */
export const placeOf = (path) => (Object.hasOwn(PLACES, path) ? path : "/");

/** @param {string} path @param {string} search */
const read = (path, search) => ({ path: placeOf(path), ...PLACES[placeOf(path)], query: new URLSearchParams(search) });

/** Where the person is. */
export const place = signal(read(globalThis.location?.pathname ?? "/", globalThis.location?.search ?? ""));

/** Go somewhere on this page. @param {string} address */
export function go(address) {
  const { pathname, search } = new URL(address, location.href);
  if (pathname + search !== location.pathname + location.search) history.pushState(null, "", pathname + search);
  place.value = read(pathname, search);
  window.scrollTo({ top: 0 });
}

/** Say in the address what is shown, without a step to go back over. @param {URLSearchParams} query */
export function describePlace(query) {
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
}

/** What a click on a link of this page does, unless the person wants another tab. @param {MouseEvent} event */
export function follow(event) {
  const link = /** @type {HTMLAnchorElement} */ (event.currentTarget);
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(link.getAttribute("href") ?? "/");
}

export function watchPlaces() {
  window.addEventListener("popstate", () => {
    place.value = read(location.pathname, location.search);
  });
}
