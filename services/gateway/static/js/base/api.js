/** The gateway's routes. Every failure is an ApiError with the stable code of its problem document. */
import { learn } from "./clock.js";
import { language } from "./words.js";

const PATIENCE_MS = 20_000;
const KEPT_ALIVE = 15_000;

export class ApiError extends Error {
  /**
   * @param {number} status 0 when no answer came.
   * @param {string} code
   * @param {string} detail
   * @param {{field: string, code: string, detail: string}[]} [errors]
   */
  constructor(status, code, detail, errors = []) {
    super(detail);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.errors = errors;
  }
}

/** Whoever wants to know that the session is over. @type {() => void} */
let whenSignedOut = () => {};

/** @param {() => void} listener */
export function onSignedOut(listener) {
  whenSignedOut = listener;
}

/** @typedef {Record<string, string | number | boolean | string[] | null | undefined>} Values */

/** An address with its query: absent values are left out, lists are repeated. @param {string} path @param {Values} values */
export function address(path, values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "" || value === false) continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** @type {Promise<unknown>} */
let writing = Promise.resolve();

/** Resolves when everything that was being changed is: a list that is asked for after a change has to show it. */
export const written = () => writing;

/** @param {string} method @param {string} path @param {any} [body] @param {Record<string, string>} [headers] */
function change(method, path, body, headers) {
  const done = call(method, path, body, headers);
  writing = Promise.allSettled([writing, done]);
  return done;
}

/** @param {string} method @param {string} path @param {any} [body] @param {Record<string, string>} [headers] */
async function call(method, path, body, headers = {}) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  /** @type {Response} */
  let response;
  try {
    response = await fetch(path, {
      method,
      // What somebody did is done, though they leave the page at once; browsers promise it for small bodies.
      keepalive: method !== "GET" && (text?.length ?? 0) < KEPT_ALIVE,
      headers: {
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
        "Accept-Language": language.value,
      },
      body: text,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new ApiError(0, "no_answer", "no answer came");
  }
  learn(response.headers.get("date"));
  const said = await response.json().catch(() => null);
  if (response.ok && (said !== null || response.status === 204)) return said;
  if (response.status === 401) whenSignedOut();
  throw new ApiError(response.status, said?.code ?? "http_error", said?.detail ?? response.statusText, said?.errors);
}

/** @param {string} path @param {Values} [query] */
export const get = (path, query = {}) => call("GET", address(path, query));
/** @param {string} path @param {any} [body] @param {Record<string, string>} [headers] */
export const post = (path, body, headers) => change("POST", path, body, headers);
/** @param {string} path @param {any} [body] */
export const put = (path, body) => change("PUT", path, body);
/** @param {string} path @param {any} body */
export const patch = (path, body) => change("PATCH", path, body);
/** @param {string} path */
export const remove = (path) => change("DELETE", path);

/** One segment of a path. @param {TemplateStringsArray} strings @param {(string | number)[]} values */
export const at = (strings, ...values) =>
  strings.reduce((text, string, index) => text + encodeURIComponent(values[index - 1]) + string);
