/** Why something failed, in one human sentence, and whether it cost anything. */
import { knows, say } from "./words.js";

/** @typedef {import("../types.js").Failure} Failure */
/** @typedef {import("../types.js").Filtered} Filtered */

// Trying these again as they stand leads to the same end.
const HOPELESS = ["content_filtered", "invalid_input", "quota"];
// With these it is the model, not the wish, that stands in the way.
const OF_MODEL = ["quota", "rate_limited", "overloaded", "provider_auth", "provider_error", "attempts_exhausted", "timeout"];

export const isHopeless = (/** @type {Failure | null} */ failure) => HOPELESS.includes(failure?.code ?? "");
export const isOfModel = (/** @type {Failure | null} */ failure) => OF_MODEL.includes(failure?.code ?? "");

/** Whose rules took what: a provider's filter or this installation's own. @param {Filtered} filtered */
function filterInWords({ stage, by }) {
  const key = `filtered.${stage}.${by}`;
  return knows(key) ? say(key) : say("failure.content_filtered");
}

/** @param {Failure | null} failure */
function whyInWords(failure) {
  if (!failure) return say("failure.internal");
  if (failure.filtered) return filterInWords(failure.filtered);
  const aboutInput = failure.code === "invalid_input" && /^(input_image|url|upload)_/.test(failure.reason ?? "");
  const key = aboutInput ? "failure.input_image" : `failure.${failure.code}`;
  return knows(key) ? say(key) : say("failure.provider_error");
}

/** @param {Failure | null} failure */
export const failureInWords = (failure) =>
  failure ? `${whyInWords(failure)} ${say(`charged.${failure.charged}`)}` : whyInWords(failure);

/** The filter's own words for why. @param {Filtered | null | undefined} filtered */
export const reasonsInWords = (filtered) =>
  filtered?.reasons?.length ? say("filtered.reasons", filtered.reasons.join(", ")) : null;

/** Why fewer came than were asked for. @param {import("../types.js").Partial} partial */
export function missingInWords({ asked, made, missing }) {
  const why = missing.map((one) => (one.filtered ? filterInWords(one.filtered) : whyInWords({ ...one, charged: "unknown", retryable: false })));
  return [say("partial", made, asked), ...new Set(why)].join(" ");
}
