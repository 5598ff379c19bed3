/** Times, sizes and lengths as a person reads them. */
import { now } from "./clock.js";
import { knows, language, say } from "./words.js";

/** @type {Map<string, Intl.NumberFormat | Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {Intl.NumberFormatOptions} options */
function numbers(options) {
  const key = `n ${language.value} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language.value, options));
  return /** @type {Intl.NumberFormat} */ (formats.get(key));
}

/** @param {Intl.DateTimeFormatOptions} options */
function dates(options) {
  const key = `d ${language.value} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(language.value === "en" ? "en-GB" : "fr", options));
  return /** @type {Intl.DateTimeFormat} */ (formats.get(key));
}

/** How long something took: `0.4 s`, `12 s`, `1 min 20 s`. */
export function duration(/** @type {number} */ milliseconds, whole = false) {
  const seconds = Math.max(0, milliseconds / 1_000);
  if (seconds < 59.5) {
    const digits = whole || seconds >= 9.95 ? 0 : 1;
    return `${numbers({ maximumFractionDigits: digits }).format(whole ? Math.floor(seconds) : seconds)} s`;
  }
  const minutes = Math.floor(seconds / 60);
  const rest = Math.floor(seconds % 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
}

/** How long something short took: `31 ms`, else as above. */
export const quickly = (/** @type {number} */ milliseconds) =>
  milliseconds < 1_000 ? `${numbers({ maximumFractionDigits: 0 }).format(milliseconds)} ms` : duration(milliseconds);

/** The length of a film: `0:04`. */
export function playTime(/** @type {number} */ seconds) {
  const whole = Math.max(1, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** What something costs: `$0.078`. @param {{amount: number, currency: string}} price */
export const money = ({ amount, currency }) =>
  numbers({ style: "currency", currency, currencyDisplay: "narrowSymbol", maximumFractionDigits: 3 }).format(amount);

export const percent = (/** @type {number} */ value) => numbers({ style: "percent" }).format(value / 100);

export function bytes(/** @type {number} */ count) {
  const mega = count >= 999_500;
  const number = numbers({ maximumFractionDigits: mega ? 1 : 0 }).format(count / (mega ? 1e6 : 1e3));
  return `${number} ${(mega ? "M" : "k") + (language.value === "fr" ? "o" : "B")}`;
}

export const dimensions = (/** @type {string} */ size) => size.replace("x", "\u00a0×\u00a0");

/** The same where there is little room: `1024²`. */
export function briefDimensions(/** @type {string} */ size) {
  const [width, height] = size.split("x");
  return width === height ? `${width}²` : dimensions(size);
}

/** @param {Date} date */
const dayOf = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

/** When it was, or will be: `Today 14:02`, `Yesterday 09:10`, `19 Nov`. */
export function moment(/** @type {number} */ milliseconds) {
  const date = new Date(milliseconds);
  const today = new Date(now());
  const time = dates({ hour: "2-digit", minute: "2-digit" }).format(date);
  const days = Math.round((dayOf(today) - dayOf(date)) / 86_400_000);
  if (days === 0) return say("date.today", time);
  if (days === 1) return say("date.yesterday", time);
  const sameYear = today.getFullYear() === date.getFullYear();
  return dates({ day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) }).format(date);
}

export const fullMoment = (/** @type {number} */ milliseconds) =>
  dates({ dateStyle: "long", timeStyle: "short" }).format(new Date(milliseconds));

/** A name the dictionary may know (`model.instant`), else the name itself. */
export const named = (/** @type {string} */ prefix, /** @type {string} */ name) =>
  knows(`${prefix}.${name}`) ? say(`${prefix}.${name}`) : name;
