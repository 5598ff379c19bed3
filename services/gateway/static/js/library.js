/** The gallery's data: both kinds merged newest first, page by page, and whatever is new put in front. */
import { signal } from "../vendor/signals.js";
import { finished } from "./api.js";
import { generation } from "./shapes.js";

/** @typedef {import("./types.js").Generation} Generation */
/** @typedef {import("./types.js").Kind} Kind */

const PAGE = 24;
const FRESH_PAGE = 12;
const FRESH_PAGES = 5;

/** @type {Kind[]} */
const KINDS = ["image", "video"];

/** @type {import("../vendor/signals.js").Signal<Generation[]>} */
export const items = signal([]);
/** @type {import("../vendor/signals.js").Signal<Generation[]>} */
export const waiting = signal([]);
/** @type {import("../vendor/signals.js").Signal<"idle" | "loading" | "failed" | "end">} */
export const state = signal("idle");
/** @type {import("../vendor/signals.js").Signal<"all" | Kind>} */
export const filter = signal("all");

/** Newest first, the id deciding between equals. @param {Generation} a @param {Generation} b */
const newer = (a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);

class Source {
  /** @param {Kind} kind */
  constructor(kind) {
    this.kind = kind;
    /** @type {Generation[]} */
    this.ready = [];
    /** @type {string | null} */
    this.cursor = null;
    this.over = false;
  }

  async fill() {
    if (this.over || this.ready.length > 0) return;
    const page = await finished(this.kind, PAGE, this.cursor);
    this.ready = page.generations.map((/** @type {any} */ item) => generation(this.kind, item));
    this.cursor = page.nextCursor ?? null;
    this.over = this.cursor === null;
  }
}

/** @type {Source[]} */
let sources = [];
let ids = new Set();
let turn = 0;

/** Begin anew, for all kinds or one. @param {"all" | Kind} wanted */
export function restart(wanted = filter.value) {
  turn += 1;
  filter.value = wanted;
  sources = (wanted === "all" ? KINDS : [wanted]).map((kind) => new Source(kind));
  ids = new Set();
  items.value = [];
  waiting.value = [];
  state.value = "idle";
  return more();
}

/** Load the next page. */
export async function more() {
  if (state.value === "loading" || state.value === "end") return;
  const mine = turn;
  state.value = "loading";
  try {
    await Promise.all(sources.map((source) => source.fill()));
  } catch {
    if (mine === turn) state.value = "failed";
    return;
  }
  if (mine !== turn) return;
  const next = drain();
  items.value = [...items.value, ...next].sort(newer);
  state.value = sources.every((source) => source.over && source.ready.length === 0) ? "end" : "idle";
  // A page of nothing but what is shown already: go on.
  if (next.length === 0 && state.value === "idle") await more();
}

/** Merge what is ready, up to where a source with more to come runs dry. */
function drain() {
  const next = [];
  for (;;) {
    if (sources.some((source) => source.ready.length === 0 && !source.over)) return next;
    const open = sources.filter((source) => source.ready.length > 0);
    if (open.length === 0) return next;
    open.sort((a, b) => newer(a.ready[0], b.ready[0]));
    const item = /** @type {Generation} */ (open[0].ready.shift());
    if (ids.has(item.id)) continue;
    ids.add(item.id);
    next.push(item);
  }
}

/** Fetch what was finished since, of one kind; answers what is new. @param {Kind} kind */
async function fresh(kind) {
  /** @type {Generation[]} */
  const found = [];
  /** @type {string | null} */
  let cursor = null;
  for (let page = 0; page < FRESH_PAGES; page += 1) {
    const answer = /** @type {any} */ (await finished(kind, FRESH_PAGE, cursor));
    const read = answer.generations.map((/** @type {any} */ item) => generation(kind, item));
    found.push(...read.filter((/** @type {Generation} */ item) => !ids.has(item.id)));
    cursor = answer.nextCursor ?? null;
    if (cursor === null || read.some((/** @type {Generation} */ item) => ids.has(item.id))) break;
  }
  return found;
}

/**
 * Take in what finished meanwhile. Somebody who reads further down is not moved: it waits until it is asked for.
 * @param {Kind} kind @param {boolean} reading
 */
export async function refresh(kind, reading) {
  if (filter.value !== "all" && filter.value !== kind) return;
  const mine = turn;
  const found = await fresh(kind).catch(() => []);
  if (mine !== turn) return;
  // What is older than the last one shown comes with its own page.
  const last = state.value === "end" ? undefined : items.value.at(-1);
  const news = found.filter((item) => !ids.has(item.id) && (last === undefined || newer(item, last) < 0));
  if (news.length === 0) return;
  for (const item of news) ids.add(item.id);
  if (reading) waiting.value = [...news, ...waiting.value].sort(newer);
  else items.value = [...news, ...items.value].sort(newer);
}

/** Show what waits. */
export function showWaiting() {
  items.value = [...waiting.value, ...items.value].sort(newer);
  waiting.value = [];
}
