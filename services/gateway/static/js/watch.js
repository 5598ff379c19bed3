/** Watching one's jobs: the stream while it holds, questions while it does not, the gallery when one is done. */
import { effect } from "../vendor/signals.js";
import { ApiError, status, whoAmI } from "./api.js";
import * as asked from "./asked.js";
import { now } from "./clock.js";
import { Line } from "./events.js";
import { isOpen, jobs, take, takeSnapshot } from "./jobs.js";
import * as library from "./library.js";
import { announce, line, session, signedOut } from "./state.js";
import { say } from "./words.js";

/** @typedef {import("./types.js").Job} Job */
/** @typedef {import("./types.js").Kind} Kind */

const ASK_LOST_MS = 3_000;
const ASK_SILENT_MS = 20_000;
const SETTLE_MS = 80;
const UNDERWAY_MS = 60_000;
const RECENT_MS = 48 * 3_600_000;
const READING_PX = 500;

let heardAt = 0;

const stream = new Line({
  snapshot(open) {
    heardAt = Date.now();
    for (const job of takeSnapshot(open)) void ask(job.kind, job.id);
    askAboutEarlier(new Set(open.map((/** @type {any} */ said) => said.job_id)));
    refreshSoon("image");
    refreshSoon("video");
  },
  update(said) {
    heardAt = Date.now();
    moved(take(said));
  },
  state(state) {
    const back = state === "live" && line.value === "lost";
    line.value = state;
    if (back && library.state.value === "failed") void library.more();
  },
  async refused() {
    try {
      await whoAmI();
      return true;
    } catch (error) {
      if (/** @type {ApiError} */ (error).status !== 401) return true;
      signedOut();
      return false;
    }
  },
});

/** @param {Job | null} job */
function moved(job) {
  if (!job || isOpen(job)) return;
  const prompt = asked.askedFor(job.id)?.body.prompt;
  const what = prompt ? String(prompt) : say(`job.unknown.${job.kind}`);
  if (job.status === "COMPLETED") {
    refreshSoon(job.kind);
    announce(say("said.done", what));
  } else announce(say("said.failed", what));
}

/** @type {Map<Kind, number>} */
const refreshes = new Map();

/** Many jobs may end in one moment: the gallery is asked once. @param {Kind} kind */
function refreshSoon(kind) {
  clearTimeout(refreshes.get(kind));
  refreshes.set(
    kind,
    setTimeout(() => void library.refresh(kind, window.scrollY > READING_PX), SETTLE_MS),
  );
}

/** Ask where one job stands. @param {Kind} kind @param {string} id */
async function ask(kind, id) {
  try {
    const said = await status(kind, id);
    const ended = said.status !== "PENDING" && said.status !== "GENERATING";
    // A completion without its files stands in the gallery already; the card shows it from there.
    moved(take({ ...said, kind, ...(ended ? { at: new Date(now()).toISOString() } : {}) }));
  } catch (error) {
    if (/** @type {ApiError} */ (error).status === 401) signedOut();
  }
}

/**
 * What this browser asked for and what is not open any more: failures are still worth a word.
 * @param {Set<string>} open
 */
function askAboutEarlier(open) {
  const known = jobs.value;
  for (const one of asked.all().slice(0, 12)) {
    if (!open.has(one.id) && !known.has(one.id) && now() - one.at < RECENT_MS) void askForFailure(one);
  }
}

/** @param {import("./types.js").Asked} one */
async function askForFailure({ id, kind, at }) {
  try {
    const said = await status(kind, id);
    if (said.status === "COMPLETED" || said.status === "CANCELLED") asked.forget([id]);
    else take({ ...said, kind, at: said.created_at });
  } catch (error) {
    // One that was sent a moment ago may only just be arriving.
    if (/** @type {ApiError} */ (error).status === 404 && now() - at > UNDERWAY_MS) asked.forget([id]);
  }
}

/** While the line is lost, or suspiciously silent, ask about the open jobs. */
setInterval(() => {
  if (session.value !== "in" || document.hidden) return;
  const patience = line.value === "live" ? ASK_SILENT_MS : ASK_LOST_MS;
  if (Date.now() - heardAt < patience) return;
  for (const job of [...jobs.value.values()].filter(isOpen).slice(0, 20)) void ask(job.kind, job.id);
  if (line.value === "live") heardAt = Date.now();
}, ASK_LOST_MS);

effect(() => {
  if (session.value === "in") stream.open();
  else stream.close();
});
