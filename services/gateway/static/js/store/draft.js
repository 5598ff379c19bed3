/** What stands in the composer. It survives a reload, and becomes a request. */
import { computed, effect, signal } from "../../vendor/signals.js";
import { chosenModel, fitted } from "../base/abilities.js";
import { CHOICES, KINDS } from "../base/kinds.js";
import { recall, remember } from "../base/memory.js";
import { models } from "./models.js";

/** @typedef {import("../types.js").Draft} Draft */
/** @typedef {import("../types.js").Kind} Kind */
/** @typedef {import("../types.js").RequestBody} RequestBody */

/** @template T @param {(kind: Kind) => T} value @returns {Record<Kind, T>} */
const perKind = (value) => ({ image: value("image"), video: value("video") });

/** @type {Draft} */
const BLANK = {
  kind: "image",
  prompt: "",
  style: "",
  quality: CHOICES.defaultQuality,
  model: perKind(() => ""),
  size: perKind((kind) => CHOICES.kinds[kind].defaultSize),
  format: perKind((kind) => CHOICES.kinds[kind].defaultFormat),
  count: perKind(() => 1),
  seconds: CHOICES.defaultSeconds,
  input: "",
  inputName: "",
  inputPicture: "",
  parent: null,
};

/** A kept draft may be older than this page: whatever has not the shape of today is left out. @returns {Draft} */
function recalled() {
  const kept = /** @type {any} */ (recall("draft", {})) ?? {};
  const draft = { ...BLANK };
  for (const name of /** @type {(keyof Draft)[]} */ (Object.keys(BLANK))) {
    if (name !== "parent" && typeof kept[name] === typeof BLANK[name]) Object.assign(draft, { [name]: kept[name] });
  }
  for (const name of /** @type {const} */ (["model", "size", "format", "count"])) {
    Object.assign(draft, { [name]: { ...BLANK[name], ...draft[name] } });
  }
  if (typeof kept.parent?.id === "string") draft.parent = kept.parent;
  if (!KINDS.includes(draft.kind)) draft.kind = BLANK.kind;
  if (!["", ...CHOICES.styles].includes(draft.style)) draft.style = "";
  if (!CHOICES.qualities.includes(draft.quality)) draft.quality = BLANK.quality;
  return draft;
}

/** @type {import("../../vendor/signals.js").Signal<Draft>} */
export const draft = signal(recalled());

/** What is wrong, in words, by the field of the request. @type {import("../../vendor/signals.js").Signal<Record<string, string>>} */
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

/** Change what each kind has of its own. @param {"model" | "size" | "format" | "count"} name @param {string | number} value @param {string} field */
export const changeOfKind = (name, value, field) =>
  change({ [name]: { ...draft.value[name], [draft.value.kind]: value } }, field);

/** The model that would render the draft. */
export const model = computed(() => chosenModel(models.value, draft.value.kind, draft.value.model[draft.value.kind]));

/** What the draft becomes with this model. */
export const fit = computed(() => fitted(draft.value, model.value));

/** The request as the API takes it. */
export const request = computed(() => {
  const { kind, prompt, style, quality, input, parent } = draft.value;
  const { size, format, count, seconds } = fit.value;
  /** @type {RequestBody} */
  const body = { prompt, quality, size, format, [CHOICES.kinds[kind].countField]: count };
  // Whoever chose none gets the default, and whatever may stand in for it.
  if (model.value && draft.value.model[kind] === model.value.id) body.model = model.value.id;
  if (style) body.style = style;
  if (kind === "video") body.duration_seconds = seconds;
  if (input.trim()) body.input_image_url = input.trim();
  if (parent) body.parent_id = parent.id;
  return { kind, body };
});

/**
 * Put a request back into the composer, to be changed and sent again.
 * @param {Kind} kind @param {RequestBody} body @param {Draft["parent"]} [parent]
 */
export function reopen(kind, body, parent = null) {
  const kept = draft.value;
  const own = (/** @type {"model" | "size" | "format"} */ name) => ({
    ...kept[name],
    [kind]: String(body[name] ?? kept[name][kind]),
  });
  const input = String(body.input_image_url ?? "");
  change({
    kind,
    prompt: String(body.prompt),
    style: String(body.style ?? ""),
    quality: CHOICES.qualities.includes(String(body.quality)) ? String(body.quality) : kept.quality,
    model: own("model"),
    size: own("size"),
    format: own("format"),
    count: { ...kept.count, [kind]: Number(body[CHOICES.kinds[kind].countField] ?? 1) },
    seconds: Number(body.duration_seconds ?? kept.seconds),
    input,
    inputName: input === kept.input ? kept.inputName : "",
    inputPicture: input === kept.input ? kept.inputPicture : "",
    parent,
  });
  faults.value = {};
  focusAsked.value += 1;
}
