/** Watching one's jobs: the stream while it holds, questions while it does not, and what the stream does not tell. */
import { effect, signal, untracked } from "../../vendor/signals.js";
import { ApiError, at, get } from "../base/api.js";
import { now } from "../base/clock.js";
import { place } from "../base/places.js";
import { say } from "../base/words.js";
import { askForUnread } from "../store/bell.js";
import { fetchNews } from "../store/gallery.js";
import { isOpen, jobs, running, take, takeOpen } from "../store/jobs.js";
import { announce, line, session } from "../store/session.js";
import { Line } from "./line.js";

/** @typedef {import("../types.js").Job} Job */

const ASK_LOST_MS = 3_000;
const ASK_LIVE_MS = 5_000;
const ASK_IDLE_MS = 20_000;
const SETTLE_MS = 80;
const RECENT_MS = 48 * 3_600_000;
const MOST_FAILURES = 6;

/** Rises whenever the world may have moved on while nobody told us. */
export const caughtUp = signal(0);

const stream = new Line({
  snapshot(open) {
    for (const job of takeOpen(open)) void ask(job.id);
    if (open.some((/** @type {any} */ said) => said.prompt === undefined)) void askForAll();
    somethingEnded();
    caughtUp.value += 1;
  },
  update(said) {
    const known = jobs.value.has(said.job_id);
    const job = take(said);
    moved(job);
    // A job of another browser: the stream says nothing of prompts.
    if (!known) void (job && !isOpen(job) ? ask(job.id) : askForAll());
  },
  state(state) {
    line.value = state;
  },
  async refused() {
    try {
      await get("/api/me");
      return true;
    } catch (error) {
      return /** @type {ApiError} */ (error).status !== 401;
    }
  },
});

/** @param {Job | null} job */
function moved(job) {
  if (!job || isOpen(job)) return;
  somethingEnded();
  const what = job.prompt ?? say(`job.unknown.${job.kind}`);
  announce(say(job.status === "COMPLETED" ? "said.done" : "said.failed", what));
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let settling;

/** Many jobs may end in one moment: the gallery and the bell are asked once. */
function somethingEnded() {
  clearTimeout(settling);
  settling = setTimeout(() => {
    void fetchNews();
    void askForUnread();
  }, SETTLE_MS);
}

/** Ask where one job stands. @param {string} id */
async function ask(id) {
  const said = await get(at`/api/jobs/${id}`).catch(() => null);
  if (said) moved(take(said));
}

let asking = false;

/** Ask for all open jobs: their prompts, places and times, and what a lost line did not tell. */
async function askForAll() {
  if (asking) return;
  asking = true;
  try {
    const { jobs: open } = await get("/api/jobs", { status: "PENDING,GENERATING", limit: 100 });
    for (const job of takeOpen(open)) void ask(job.id);
    await Promise.all([...jobs.value.values()].filter(isOpen).slice(0, 10).map(({ id }) => askForTimes(id)));
  } catch {
    // The next turn asks again; that the line is lost is said elsewhere.
  } finally {
    asking = false;
  }
}

/** Where it stands in the queue and how long it will take is told job by job. @param {string} id */
const askForTimes = async (id) => moved(take(await get(at`/api/jobs/${id}`)));

/** What failed lately is still worth a word, until it is put away. */
async function askForFailures() {
  const after = new Date(now() - RECENT_MS).toISOString();
  const query = { status: "FAILED", created_after: after, limit: MOST_FAILURES };
  const said = await get("/api/jobs", query).catch(() => null);
  for (const job of said?.jobs ?? []) take(job);
}

let askedAt = 0;

/** How long to wait before asking again: a job that only waits, asked for elsewhere, is told by nobody. */
function pause() {
  if (running.value === 0) return ASK_IDLE_MS;
  return line.value === "live" ? ASK_LIVE_MS : ASK_LOST_MS;
}

function askNow() {
  askedAt = Date.now();
  void askForAll();
}

setInterval(() => {
  if (session.value === "in" && !document.hidden && Date.now() - askedAt >= pause() - 100) askNow();
}, 1_000);

export function startWatching() {
  effect(() => {
    const isIn = session.value === "in";
    // What these read must not begin them anew: the line is opened once.
    untracked(() => {
      if (!isIn) return stream.close();
      stream.open();
      void askForFailures();
      void askForUnread();
    });
  });
  // Whoever comes to see what runs sees all of it.
  effect(() => {
    if (place.value.view === "create" && session.value === "in") untracked(askNow);
  });
}
