/** What a model can be asked for, read from GET /api/models, and a draft brought within it. */
import { CHOICES, pixels } from "./kinds.js";

/** @typedef {import("../types.js").Model} Model */
/** @typedef {import("../types.js").Ability} Ability */
/** @typedef {import("../types.js").Draft} Draft */
/** @typedef {import("../types.js").Kind} Kind */

// A ratio and a size in whole pixels are seldom equal to the last digit: 1792x1024 is called 16:9.
const NEAR = 0.03;
const USUAL_LINES = 720;
const LENGTHS = [1, 2, 4, 6, 8, 10, 15, 30, 60];

/** @param {Model[]} models @param {Kind} kind */
export const modelsFor = (models, kind) => models.filter((model) => model.kinds.includes(kind));

/** The model of this id, else the kind's default, else the first. @param {Model[]} models @param {Kind} kind @param {string} id */
export function chosenModel(models, kind, id) {
  const able = modelsFor(models, kind);
  return (
    able.find((model) => model.id === id) ?? able.find((model) => model.default_for.includes(kind)) ?? able[0] ?? null
  );
}

/** @param {Model | null} model @param {Kind} kind @returns {Ability | null} */
export const abilityOf = (model, kind) => model?.abilities.find((ability) => ability.kind === kind) ?? null;

/** The sizes whose shape the model makes; all of them where it says nothing. @param {Ability} ability */
export function sizesOf({ sizes, ratios }) {
  if (!ratios) return sizes;
  const shapes = ratios.map((ratio) => Number(ratio.split(":")[0]) / Number(ratio.split(":")[1]));
  const made = sizes.filter((size) => {
    const [width, height] = pixels(size);
    return shapes.some((shape) => Math.abs(width / height / shape - 1) <= NEAR);
  });
  return made.length ? made : sizes;
}

/** Lengths of a film of this size worth offering, in seconds. @param {Ability} ability @param {string} size @returns {number[]} */
export function lengthsOf({ durations, tall_durations: tall }, size) {
  if (!durations) return [];
  if (tall && Math.min(...pixels(size)) > USUAL_LINES) return tall;
  if (Array.isArray(durations)) return durations;
  return LENGTHS.filter((length) => length >= durations.least && length <= durations.most);
}

/** @template T @param {T[]} offered @param {T} wanted @param {T} usual */
const within = (offered, wanted, usual) => {
  if (offered.includes(wanted)) return wanted;
  return offered.includes(usual) ? usual : (offered[0] ?? usual);
};

/**
 * What of a draft this model can do; the rest falls back to what is usual, and comes again with another model.
 * @param {Draft} draft @param {Model | null} model
 */
export function fitted(draft, model) {
  const { kind } = draft;
  const usual = CHOICES.kinds[kind];
  const ability = abilityOf(model, kind);
  if (!ability) {
    return { size: draft.size[kind], format: draft.format[kind], count: draft.count[kind], seconds: draft.seconds };
  }
  const size = within(sizesOf(ability), draft.size[kind], usual.defaultSize);
  const lengths = lengthsOf(ability, size);
  const free = ability.durations && !Array.isArray(ability.durations);
  return {
    size,
    format: within(ability.formats, draft.format[kind], usual.defaultFormat),
    count: Math.min(Math.max(1, draft.count[kind]), ability.max_count),
    seconds: free ? draft.seconds : within(lengths, draft.seconds, CHOICES.defaultSeconds),
  };
}

/**
 * What a wish costs, as far as it is known.
 * @param {Model | null} model @param {number} count @param {number} seconds
 * @returns {{amount: number, currency: string} | null}
 */
export function costOf(model, count, seconds) {
  if (!model?.price) return null;
  const { amount, unit, currency } = model.price;
  const times = { medium: count, second: count * seconds, job: 1 }[unit];
  return times === undefined ? null : { amount: Number(amount) * times, currency };
}
