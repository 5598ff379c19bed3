/** The jobs this page watches. A job only moves forward: older news changes nothing, progress never falls. */
import { computed, signal } from "../vendor/signals.js";
import { ofEvent } from "./shapes.js";

/** @typedef {import("./types.js").Job} Job */

const KEPT_FINISHED = 3;

/** @type {import("../vendor/signals.js").Signal<ReadonlyMap<string, Job>>} */
export const jobs = signal(new Map());

export const isOpen = (/** @type {Job} */ job) => job.status === "PENDING" || job.status === "GENERATING";

/** Newest first; of the completed only the last few, for the gallery keeps them all. */
export const shown = computed(() => {
  const sorted = [...jobs.value.values()].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  let finished = 0;
  return sorted.filter((job) => job.status !== "COMPLETED" || (finished += 1) <= KEPT_FINISHED);
});

export const running = computed(() => shown.value.filter(isOpen).length);

/**
 * Read a report from the stream, the snapshot or an answer.
 * @param {any} said @param {Job | undefined} known @returns {Job}
 */
function read(said, known) {
  const ended = said.status !== "PENDING" && said.status !== "GENERATING";
  return {
    id: said.job_id,
    kind: said.kind ?? known?.kind,
    status: said.status,
    stage: said.stage,
    progress: Math.max(known?.progress ?? 0, said.progress),
    // An answer of the status route has no number: it is taken when it is ahead of what is known.
    seq: said.seq ?? known?.seq ?? 0,
    // The snapshot alone tells what another browser asked for.
    prompt: said.prompt ?? known?.prompt ?? null,
    createdAt: Date.parse(said.created_at),
    endedAt: ended && said.at ? Date.parse(said.at) : (known?.endedAt ?? null),
    failure: said.failure ?? null,
    files: (said.files ?? []).map((/** @type {any} */ file) => ofEvent(file, null)),
  };
}

/** @param {any} said @param {Job | undefined} known */
function isNews(said, known) {
  if (!known) return true;
  if (!isOpen(known)) return false;
  if (said.seq !== undefined && said.seq <= known.seq) return false;
  // An answer of the status route may be ahead of the stream, which then still tells what is behind.
  if (said.status !== "GENERATING") return said.status !== "PENDING";
  return (
    known.status === "PENDING" ||
    said.progress > known.progress ||
    ((said.seq ?? 0) > 0 && said.progress === known.progress)
  );
}

/**
 * Take a report; answers the job when it moved.
 * @param {any} said
 */
export function take(said) {
  const known = jobs.value.get(said.job_id);
  if (!isNews(said, known)) return null;
  const job = read(said, known);
  jobs.value = new Map(jobs.value).set(job.id, job);
  return job;
}

/**
 * Take the snapshot of all open jobs; answers the ids that were open here and are not there any more.
 * @param {any[]} open
 */
export function takeSnapshot(open) {
  for (const said of open) take(said);
  const there = new Set(open.map((said) => said.job_id));
  return [...jobs.value.values()].filter((job) => isOpen(job) && !there.has(job.id));
}

/** @param {string} id */
export function dismiss(id) {
  const kept = new Map(jobs.value);
  kept.delete(id);
  jobs.value = kept;
}

/** Dismiss all that ended; answers their ids. */
export function dismissEnded() {
  const ended = [...jobs.value.values()].filter((job) => !isOpen(job)).map((job) => job.id);
  jobs.value = new Map([...jobs.value].filter(([, job]) => isOpen(job)));
  return ended;
}
