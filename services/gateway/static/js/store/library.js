/** What is done with generations: favourites, deleting and bringing back, albums, shares, starting again. */
import { signal } from "../../vendor/signals.js";
import { address, at, get, patch, post, remove } from "../base/api.js";
import { CHOICES } from "../base/kinds.js";
import { go } from "../base/places.js";
import { say } from "../base/words.js";
import { askedFor } from "./asked.js";
import { change, focusAsked, reopen } from "./draft.js";
import { amend, drop, filters, putBack } from "./gallery.js";
import { dismiss } from "./jobs.js";
import { attempt, tell } from "./session.js";

/** @typedef {import("../types.js").Generation} Generation */

/** @param {Generation[]} those @param {boolean} on */
export async function favour(those, on) {
  const ids = those.map((one) => one.id);
  amend(ids, { favourite: on });
  const done = await attempt(() => post("/api/favourites", on ? { add: ids } : { remove: ids }));
  if (!done) amend(ids, { favourite: !on });
  else if (!on && filters.value.favourite) drop(ids);
}

/** Delete; the way back stands in what is said. @param {Generation[]} those */
export async function discard(those) {
  const ids = those.map((one) => one.id);
  drop(ids);
  if (!(await attempt(() => post("/api/gallery/delete", { ids })))) return putBack(those);
  dismiss(ids);
  tell(say("deleted", ids.length), { action: { words: say("undo"), run: () => void bringBack(those) } });
}

/** @param {Generation[]} those */
export async function bringBack(those) {
  const ids = those.map((one) => one.id);
  if (!(await attempt(() => post("/api/gallery/restore", { ids })))) return;
  if (filters.value.deleted) drop(ids);
  else putBack(those);
  tell(say("restored", ids.length));
}

/** Where a browser fetches some as one file. @param {string[]} ids */
export const zipOf = (ids) => address("/api/gallery/zip", { ids: ids.join(",") });
/** @param {string} id */
export const zipOfAlbum = (id) => address("/api/gallery/zip", { album: id });

/**
 * Everything that was asked for a generation, back into the composer; as an edit of it, unless nothing came of it.
 * @param {Generation} one @param {boolean} [asEdit]
 */
export function editAgain(one, asEdit = true) {
  const { id, kind, prompt, style, quality, model, size, format, files } = one;
  const facts = { prompt, style: style ?? "", quality: quality ?? "", [CHOICES.kinds[kind].countField]: files.length || 1 };
  const more = Object.entries({ model, size, format }).filter(([, value]) => value !== null);
  const seconds = files[0]?.seconds ? { duration_seconds: files[0].seconds } : {};
  const body = askedFor(id)?.body ?? { ...facts, ...seconds, ...Object.fromEntries(more) };
  go("/");
  reopen(kind, /** @type {any} */ (body), asEdit ? { id, prompt } : null);
}

/** Begin with a picture. @param {string} url */
export function startFrom(url) {
  go("/");
  change({ input: url, inputName: "", inputPicture: "" }, "input_image_url");
  focusAsked.value += 1;
}

/** @typedef {{id: string, name: string, description: string | null, count: number, cover: any}} Album */

/** null until they were asked for. @type {import("../../vendor/signals.js").Signal<Album[] | null>} */
export const albums = signal(null);
export const albumsFailed = signal(false);

/** All albums of the person; many pages only for whoever has hundreds. */
export async function loadAlbums() {
  albumsFailed.value = false;
  try {
    /** @type {Album[]} */
    const all = [];
    let cursor = null;
    do {
      const page = /** @type {any} */ (await get("/api/albums", { limit: 200, cursor }));
      all.push(...page.albums);
      cursor = page.nextCursor;
    } while (cursor);
    albums.value = all;
  } catch {
    albumsFailed.value = true;
  }
}

/** @param {string} name @param {string[]} [ids] */
export async function makeAlbum(name, ids = []) {
  const album = await post("/api/albums", { name, items: ids });
  albums.value = [album, ...(albums.value ?? [])];
  return album;
}

/** @param {string} id @param {string[]} ids @param {"add" | "remove"} what */
export async function changeAlbum(id, ids, what) {
  await post(at`/api/albums/${id}/items`, { [what]: ids });
  if (what === "remove" && filters.value.album === id) drop(ids);
  await loadAlbums();
}

/** @param {string} id @param {string} name */
export async function renameAlbum(id, name) {
  const album = await patch(at`/api/albums/${id}`, { name });
  albums.value = (albums.value ?? []).map((one) => (one.id === id ? album : one));
}

/** @param {string} id */
export async function removeAlbum(id) {
  await remove(at`/api/albums/${id}`);
  albums.value = (albums.value ?? []).filter((one) => one.id !== id);
}

/**
 * A link for somebody without an account; answers its address, which is told this once.
 * @param {{generation_id?: string, album_id?: string, expires_in_seconds: number | null, password: string | null, show_prompt: boolean}} wanted
 */
export const share = async (wanted) => String((await post("/api/shares", wanted)).url);
