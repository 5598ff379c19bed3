/** The jobs this page watches. A job only moves forward: older news changes nothing, progress never falls. */
import { computed, signal } from "../../vendor/signals.js";
import { now } from "../base/clock.js";
import { recall, remember } from "../base/memory.js";
import { mediaFile, safeUrl } from "../base/shapes.js";

/** @typedef {import("../types.js").Job} Job */

const KEPT_FINISHED = 3;
const KEPT_DISMISSED = 200;

/** @type {import("../../vendor/signals.js").Signal<ReadonlyMap<string, Job>>} */
export const jobs = signal(new Map());

// What the API says of a stage by itself; this page has words of its own for that.
const USUAL = /^(Initialisation du modèle|Starting the model|Génération en cours|Generating|Enregistrement des .+|Saving the .+|En attente|Waiting)\.\.\.$/;

/** What a backend or a worker says of where it stands, beside the stage. @param {unknown} message */
const ownMessage = (message) => (typeof message === "string" && !USUAL.test(message) ? message : null);

/** Jobs that were put away. */
let dismissed = new Set(recall("dismissed", /** @type {string[]} */ ([])));

export const isOpen = (/** @type {Job} */ job) => job.status === "PENDING" || job.status === "GENERATING";

/** Newest first; of the completed only the last few, for the gallery keeps them all. */
export const shown = computed(() => {
  const sorted = [...jobs.value.values()].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  let finished = 0;
  return sorted.filter((job) => job.status !== "COMPLETED" || (finished += 1) <= KEPT_FINISHED);
});

export const running = computed(() => [...jobs.value.values()].filter(isOpen).length);

/**
 * Read a report from the stream, the snapshot or an answer.
 * @param {any} said @param {Job | undefined} known @returns {Job}
 */
function read(said, known) {
  const ended = said.status !== "PENDING" && said.status !== "GENERATING";
  const left = said.eta_seconds ?? null;
  const ending = said.completed_at ?? said.at;
  return {
    id: said.job_id,
    kind: said.kind ?? known?.kind,
    status: said.status,
    stage: said.stage,
    progress: Math.max(known?.progress ?? 0, said.progress),
    // An answer of a route has no number: it is taken when it is ahead of what is known.
    seq: said.seq ?? known?.seq ?? 0,
    prompt: said.prompt ?? known?.prompt ?? null,
    model: said.model ?? known?.model ?? null,
    preview: safeUrl(said.preview_url) || (known?.preview ?? ""),
    message: ownMessage(said.message ?? known?.message),
    parentId: said.parent_id ?? known?.parentId ?? null,
    position: said.status === "PENDING" ? (said.queue_position ?? known?.position ?? null) : null,
    readyAt: left === null ? (known?.readyAt ?? null) : now() + left * 1_000,
    cancelling: said.cancel_requested ?? known?.cancelling ?? false,
    createdAt: Date.parse(said.created_at),
    endedAt: ended && ending ? Date.parse(ending) : (known?.endedAt ?? null),
    failure: said.failure ?? null,
    files: said.files?.length ? said.files.map((/** @type {any} */ file) => mediaFile(file, null)) : (known?.files ?? []),
  };
}

/** Whether a report moves the job. @param {any} said @param {Job | undefined} known */
function moves(said, known) {
  if (!known) return true;
  if (!isOpen(known)) return false;
  if (said.seq !== undefined && said.seq <= known.seq) return false;
  // An answer of a route may be ahead of the stream, which then still tells what is behind.
  if (said.status !== "GENERATING") return said.status !== "PENDING";
  return known.status === "PENDING" || said.progress >= known.progress;
}

/** @param {Job} job */
function put(job) {
  jobs.value = new Map(jobs.value).set(job.id, job);
  return job;
}

/**
 * Take a report; answers the job when it moved. What only the routes tell (the place in the queue, the time that is
 * left, the prompt) is taken from any report on a job that is still open.
 * @param {any} said
 */
export function take(said) {
  if (dismissed.has(said.job_id)) return null;
  const known = jobs.value.get(said.job_id);
  if (moves(said, known)) return put(read(said, known));
  // The stream may tell the end before the answer to the request that says what was asked.
  if (known && known.prompt === null && said.prompt) put({ ...known, prompt: said.prompt, model: known.model ?? said.model ?? null });
  else if (known && isOpen(known) && said.status === known.status) {
    const more = read(said, known);
    put({ ...known, prompt: more.prompt, model: more.model, position: more.position, readyAt: more.readyAt, cancelling: known.cancelling || more.cancelling });
  }
  return null;
}

/** Take a list of all open jobs; answers those that were open here and are not there any more. @param {any[]} open */
export function takeOpen(open) {
  for (const said of open) take(said);
  const there = new Set(open.map((said) => said.job_id));
  return [...jobs.value.values()].filter((job) => isOpen(job) && !there.has(job.id));
}

/** Say that a cancel is on its way. @param {string} id */
export function cancelling(id, on = true) {
  const known = jobs.value.get(id);
  if (known && isOpen(known)) put({ ...known, cancelling: on });
}

/** Put ended jobs away, for good in this browser. @param {string[]} ids */
export function dismiss(ids) {
  dismissed = new Set([...dismissed, ...ids].slice(-KEPT_DISMISSED));
  remember("dismissed", [...dismissed]);
  jobs.value = new Map([...jobs.value].filter(([id]) => !ids.includes(id)));
}

export const dismissEnded = () =>
  dismiss([...jobs.value.values()].filter((job) => !isOpen(job)).map((job) => job.id));
