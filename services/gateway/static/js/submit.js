/** Sending a request: once per wish, however often the button is pressed and whether or not the answer arrived. */
import { signal } from "../vendor/signals.js";
import { ApiError, generate } from "./api.js";
import * as asked from "./asked.js";
import { now } from "./clock.js";
import { draft, faults, request } from "./draft.js";
import { newId } from "./ids.js";
import { take } from "./jobs.js";
import { ofTab, recall, remember } from "./memory.js";
import { announce, signedOut } from "./state.js";
import { knows, say } from "./words.js";

/** @typedef {import("./types.js").Kind} Kind */
/** @typedef {import("./types.js").RequestBody} RequestBody */

// The second press of a double click comes after a quick answer; the same wish later is meant.
const SETTLE_MS = 700;

export const sending = signal(false);

let last = { wish: "", at: 0 };

/**
 * The id of a request that was sent without an answer: the same wish keeps it, so that it is the same job.
 * @param {string} wish
 */
function idFor(wish) {
  const unanswered = recall("unanswered", { wish: "", id: "" }, ofTab);
  if (unanswered.wish === wish) return String(unanswered.id);
  const id = newId();
  remember("unanswered", { wish, id }, ofTab);
  return id;
}

/** Send what stands in the composer. */
export async function submit() {
  if (!draft.value.prompt.trim()) {
    faults.value = { prompt: say("field.prompt_empty") };
    return;
  }
  const { kind, body } = request.value;
  await send(kind, body);
}

/**
 * Send a request; answers whether it was accepted.
 * @param {Kind} kind @param {RequestBody} body
 */
export async function send(kind, body) {
  const wish = JSON.stringify([kind, body]);
  const pressedAgain = wish === last.wish && performance.now() - last.at < SETTLE_MS;
  if (sending.value || pressedAgain) return false;
  last = { wish, at: performance.now() };
  sending.value = true;
  const id = idFor(wish);
  faults.value = {};
  // Before the answer: the stream may be quicker than it.
  asked.add({ id, kind, body, at: now() });
  try {
    take({ ...(await generate(kind, { ...body, job_id: id })), kind });
    remember("unanswered", null, ofTab);
    announce(say("said.accepted", String(body.prompt)));
    return true;
  } catch (error) {
    // Whoever reads that it did not work may press again at once.
    last = { wish: "", at: 0 };
    refuse(/** @type {ApiError} */ (error), id);
    return false;
  } finally {
    sending.value = false;
  }
}

/** @param {ApiError} error @param {string} id */
function refuse(error, id) {
  // Without an answer, or with one of a server in trouble, the job may exist.
  if (error.status >= 400 && error.status < 500) {
    remember("unanswered", null, ofTab);
    asked.forget([id]);
  }
  if (error.status === 401) return signedOut();
  const named = error.errors.map(({ field, code, detail }) => [field, inWords(code, detail)]);
  faults.value = named.length ? Object.fromEntries(named) : { general: problemInWords(error) };
  if (error.code === "model_unknown") faults.value = { model: say("problem.model_unknown") };
}

/** @param {string} code @param {string} detail */
const inWords = (code, detail) => (knows(`field.${code}`) ? say(`field.${code}`) : detail);

/** Say what a refusal means. @param {ApiError} error */
export const problemInWords = (error) =>
  knows(`problem.${error.code}`) ? say(`problem.${error.code}`) : say("problem.other", error.detail);
