/** The gallery's data: page after page of one list, narrowed as the person likes, and whatever is new put in front. */
import { computed, signal } from "../../vendor/signals.js";
import { at, get, written } from "../base/api.js";
import { generation } from "../base/shapes.js";

/** @typedef {import("../types.js").Generation} Generation */

const PAGE = 48;
const FRESH_PAGE = 12;
const FRESH_PAGES = 5;
const READING_PX = 500;

/**
 * How the gallery is narrowed: the parameters of GET /api/gallery, as they stand in this page's address too.
 * @typedef {{q: string, kind: string, model: string, source: string, since: string, album: string, favourite: boolean, deleted: boolean, sort: string}} Filters
 */

/** @type {Filters} */
const UNFILTERED = { q: "", kind: "", model: "", source: "", since: "", album: "", favourite: false, deleted: false, sort: "" };
const DAYS = /** @type {Record<string, number>} */ ({ day: 1, week: 7, month: 30 });

/** @type {import("../../vendor/signals.js").Signal<Filters>} */
export const filters = signal(UNFILTERED);
export const filtered = computed(() => Object.keys(addressOf(filters.value)).length > 0);

/** @type {import("../../vendor/signals.js").Signal<Generation[]>} */
export const items = signal([]);
/** @type {import("../../vendor/signals.js").Signal<Generation[]>} */
export const waiting = signal([]);
/** @type {import("../../vendor/signals.js").Signal<"idle" | "loading" | "failed" | "end">} */
export const state = signal("idle");
/** What a search found. @type {import("../../vendor/signals.js").Signal<{total: number, allCounted: boolean, corrected: boolean} | null>} */
export const found = signal(null);

/** The filters that are set. @param {Filters} wanted @returns {Record<string, string>} */
export function addressOf(wanted) {
  const set = Object.entries(wanted).filter(([, value]) => value !== "" && value !== false);
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]));
}

/** @param {URLSearchParams} query @returns {Filters} */
export function filtersOf(query) {
  const text = (/** @type {string} */ name) => query.get(name) ?? "";
  const since = Object.hasOwn(DAYS, text("since")) ? text("since") : "";
  const flags = { favourite: text("favourite") === "true", deleted: text("deleted") === "true" };
  const words = { q: text("q"), kind: text("kind"), model: text("model"), source: text("source") };
  return { ...words, since, album: text("album"), ...flags, sort: text("sort") };
}

/** @param {Filters} wanted @param {number} limit @param {string | null} cursor */
function queryOf({ since, ...wanted }, limit, cursor) {
  const from = since ? new Date(Date.now() - DAYS[since] * 86_400_000) : null;
  // To the hour, so that pages of one list and its news are the same list.
  from?.setMinutes(0, 0, 0);
  return { ...wanted, created_after: from?.toISOString(), limit, cursor };
}

let cursor = /** @type {string | null} */ (null);
let turn = 0;

/** Begin anew. @param {Filters} [wanted] */
export function restart(wanted = filters.value) {
  turn += 1;
  cursor = null;
  filters.value = wanted;
  items.value = [];
  waiting.value = [];
  found.value = null;
  state.value = "idle";
  return more();
}

/** Load the next page. */
export async function more() {
  if (state.value === "loading" || state.value === "end") return;
  const mine = turn;
  state.value = "loading";
  await written();
  const page = await get("/api/gallery", queryOf(filters.value, PAGE, cursor)).catch(() => null);
  if (mine !== turn) return;
  if (page === null) {
    state.value = "failed";
    return;
  }
  const known = new Set([...items.value, ...waiting.value].map((item) => item.id));
  const next = page.generations.map(generation).filter((/** @type {Generation} */ item) => !known.has(item.id));
  cursor = page.nextCursor;
  found.value = page.search ?? found.value;
  items.value = [...items.value, ...next];
  state.value = cursor === null ? "end" : "idle";
}

/** @param {Generation} a @param {Generation} b */
const newer = (a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);

/** What was finished since, by the same filters. */
async function fresh() {
  const known = new Set([...items.value, ...waiting.value].map((item) => item.id));
  /** @type {Generation[]} */
  const news = [];
  let next = /** @type {string | null} */ (null);
  for (let page = 0; page < FRESH_PAGES; page += 1) {
    const answer = await get("/api/gallery", queryOf(filters.value, FRESH_PAGE, next));
    const read = /** @type {Generation[]} */ (answer.generations.map(generation));
    news.push(...read.filter((item) => !known.has(item.id)));
    next = answer.nextCursor;
    if (next === null || read.some((item) => known.has(item.id))) break;
  }
  return news;
}

/** Take in what finished meanwhile. Somebody who reads further down is not moved: it waits until it is asked for. */
export async function fetchNews() {
  const { q, deleted, sort } = filters.value;
  if (q || deleted || sort || state.value === "loading") return;
  if (state.value === "failed") return void more();
  const mine = turn;
  const answer = await fresh().catch(() => []);
  if (mine !== turn) return;
  const known = new Set([...items.value, ...waiting.value].map((item) => item.id));
  // What is older than the last one shown comes with its own page.
  const last = state.value === "end" ? undefined : items.value.at(-1);
  const news = answer.filter((item) => !known.has(item.id) && (last === undefined || newer(item, last) < 0));
  if (news.length === 0) return;
  if (window.scrollY > READING_PX) waiting.value = [...news, ...waiting.value].sort(newer);
  else items.value = [...news, ...items.value].sort(newer);
}

/** Show what waits. */
export function showWaiting() {
  items.value = [...waiting.value, ...items.value].sort(newer);
  waiting.value = [];
}

/** Change what is shown of some. @param {Iterable<string>} ids @param {Partial<Generation>} changes */
export function amend(ids, changes) {
  const wanted = new Set(ids);
  const change = (/** @type {Generation} */ item) => (wanted.has(item.id) ? { ...item, ...changes } : item);
  items.value = items.value.map(change);
  waiting.value = waiting.value.map(change);
}

/** A search found so many more, or fewer. @param {number} by */
const recount = (by) => (found.value = found.value && { ...found.value, total: Math.max(0, found.value.total + by) });

/** Take some out of the list. @param {Iterable<string>} ids */
export function drop(ids) {
  const gone = new Set(ids);
  recount(-items.value.filter((item) => gone.has(item.id)).length);
  items.value = items.value.filter((item) => !gone.has(item.id));
  waiting.value = waiting.value.filter((item) => !gone.has(item.id));
}

/** Put some back where they were. @param {Generation[]} back */
export function putBack(back) {
  const known = new Set(items.value.map((item) => item.id));
  const missing = back.filter((item) => !known.has(item.id));
  recount(missing.length);
  if (filters.value.q || filters.value.sort) items.value = [...missing, ...items.value];
  else items.value = [...missing, ...items.value].sort(newer);
}

/** One generation with where it came from and what came of it. @param {string} id */
export const detail = (id) => get(at`/api/gallery/${id}`);
