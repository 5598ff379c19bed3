/** Sending a request: once per wish, however often the button is pressed and whether or not the answer arrived. */
import { signal } from "../../vendor/signals.js";
import { ApiError, at, post } from "../base/api.js";
import { newId } from "../base/ids.js";
import { CHOICES } from "../base/kinds.js";
import { ofTab, recall, remember } from "../base/memory.js";
import { faultsOf } from "../base/rules.js";
import { knows, say } from "../base/words.js";
import * as asked from "./asked.js";
import { change, faults, model, request } from "./draft.js";
import { take } from "./jobs.js";
import { announce, problemInWords } from "./session.js";

/** @typedef {import("../types.js").Kind} Kind */
/** @typedef {import("../types.js").RequestBody} RequestBody */

// The second press of a double click comes after a quick answer; the same wish later is meant.
const SETTLE_MS = 700;

export const sending = signal(false);

let last = { wish: "", at: 0 };

/**
 * The key of a request that was sent without an answer: the same wish keeps it, so that it is the same job.
 * @param {string} wish
 */
function keyFor(wish) {
  const unanswered = recall("unanswered", { wish: "", key: "" }, ofTab);
  if (unanswered.wish === wish) return String(unanswered.key);
  const key = newId();
  remember("unanswered", { wish, key }, ofTab);
  return key;
}

/** Send what stands in the composer. */
export async function submit() {
  const { kind, body } = request.value;
  const wrong = Object.entries(faultsOf(body));
  if (wrong.length) {
    faults.value = Object.fromEntries(wrong.map(([field, word]) => [field, say(word)]));
    return;
  }
  // Whatever is asked for next is a wish of its own.
  if (await send(kind, body)) change({ parent: null });
}

/**
 * Send a request; answers whether it was accepted.
 * @param {Kind} kind @param {RequestBody} body
 */
async function send(kind, body) {
  const wish = JSON.stringify([kind, body]);
  const pressedAgain = wish === last.wish && performance.now() - last.at < SETTLE_MS;
  if (sending.value || pressedAgain) return false;
  last = { wish, at: performance.now() };
  sending.value = true;
  faults.value = {};
  try {
    const path = `/api/${CHOICES.kinds[kind].plural}/generate`;
    const said = await post(path, body, { "Idempotency-Key": keyFor(wish) });
    remember("unanswered", null, ofTab);
    asked.add(said.job_id, kind, body);
    take({ ...said, kind, prompt: body.prompt, model: model.value?.id });
    announce(say("said.accepted", String(body.prompt)));
    return true;
  } catch (error) {
    // Whoever reads that it did not work may press again at once.
    last = { wish: "", at: 0 };
    refuse(/** @type {ApiError} */ (error));
    return false;
  } finally {
    sending.value = false;
  }
}

/** @param {ApiError} error */
function refuse(error) {
  // Without an answer, or with one of a server in trouble, the job may exist.
  if (error.status >= 400 && error.status < 500) remember("unanswered", null, ofTab);
  if (error.status === 401) return;
  const named = error.errors.map(({ field, code, detail }) => [
    field,
    knows(`field.${code}`) ? say(`field.${code}`) : detail,
  ]);
  const place = error.code.startsWith("model_") ? "model" : "general";
  faults.value = named.length ? Object.fromEntries(named) : { [place]: problemInWords(error) };
}

/** The same request once more, as another job. @param {string} id */
export async function retry(id) {
  const said = await post(at`/api/jobs/${id}/retry`, {}, { "Idempotency-Key": `retry-${id}` });
  const before = asked.askedFor(id);
  if (before) asked.add(said.job_id, before.kind, before.body);
  return said;
}
