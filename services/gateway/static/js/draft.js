/** What stands in the composer. It survives a reload, and becomes a request. */
import { computed, effect, signal } from "../vendor/signals.js";
import { CHOICES } from "./kinds.js";
import { recall, remember } from "./memory.js";

/** @typedef {import("./types.js").Draft} Draft */
/** @typedef {import("./types.js").Kind} Kind */
/** @typedef {import("./types.js").RequestBody} RequestBody */

/** @type {Draft} */
const BLANK = {
  kind: "image",
  prompt: "",
  style: "",
  quality: CHOICES.defaultQuality,
  model: CHOICES.defaultModel,
  size: { image: CHOICES.kinds.image.defaultSize, video: CHOICES.kinds.video.defaultSize },
  count: { image: 1, video: 1 },
  seconds: CHOICES.seconds.default,
  input: "",
};

/** A kept draft may be older than today's choices: what is not offered any more is left out. @returns {Draft} */
function recalled() {
  const kept = recall("draft", BLANK);
  const draft = {
    ...BLANK,
    ...kept,
    size: { ...BLANK.size, ...kept?.size },
    count: { ...BLANK.count, ...kept?.count },
  };
  if (!(draft.kind in CHOICES.kinds)) draft.kind = BLANK.kind;
  if (!["", ...CHOICES.styles].includes(draft.style)) draft.style = BLANK.style;
  if (!CHOICES.qualities.includes(draft.quality)) draft.quality = BLANK.quality;
  for (const kind of /** @type {Kind[]} */ (["image", "video"])) {
    if (!CHOICES.kinds[kind].sizes.includes(draft.size[kind])) draft.size[kind] = BLANK.size[kind];
  }
  if (!CHOICES.kinds[draft.kind].models.includes(draft.model)) draft.model = BLANK.model;
  return draft;
}

/** @type {import("../vendor/signals.js").Signal<Draft>} */
export const draft = signal(recalled());

/**
 * Faults the server found, by the field of the request.
 * @type {import("../vendor/signals.js").Signal<Record<string, string>>}
 */
export const faults = signal({});

/** Rises when the prompt should be taken to. */
export const focusAsked = signal(0);

effect(() => remember("draft", draft.value));

/** @param {Partial<Draft>} changes @param {string} [field] the request's field that is being mended */
export function change(changes, field) {
  draft.value = { ...draft.value, ...changes };
  const { [field ?? ""]: _mended, general: _general, ...rest } = faults.value;
  faults.value = rest;
}

/** The request as the API takes it. */
export const request = computed(() => {
  const { kind, prompt, style, quality, model, size, count, seconds, input } = draft.value;
  /** @type {RequestBody} */
  const body = { prompt, quality, model, size: size[kind], [CHOICES.kinds[kind].countField]: count[kind] };
  if (style) body.style = style;
  if (kind === "video") body.duration_seconds = seconds;
  if (input.trim()) body.input_image_url = input.trim();
  return { kind, body };
});

/**
 * Put a request back into the composer, to be changed and sent again.
 * @param {Kind} kind @param {RequestBody} body
 */
export function reopen(kind, body) {
  const kept = draft.value;
  const choices = CHOICES.kinds[kind];
  const size = choices.sizes.includes(String(body.size)) ? String(body.size) : kept.size[kind];
  change({
    kind,
    prompt: String(body.prompt),
    style: String(body.style ?? ""),
    quality: CHOICES.qualities.includes(String(body.quality)) ? String(body.quality) : kept.quality,
    model: choices.models.includes(String(body.model)) ? String(body.model) : kept.model,
    size: { ...kept.size, [kind]: size },
    count: { ...kept.count, [kind]: Number(body[choices.countField] ?? 1) },
    seconds: Number(body.duration_seconds ?? kept.seconds),
    input: String(body.input_image_url ?? ""),
  });
  faults.value = {};
  focusAsked.value += 1;
}
