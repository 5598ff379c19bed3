/** The gateway's routes. Every failure is an ApiError with the stable code of its problem document. */
import { learn } from "./clock.js";
import { language } from "./words.js";

const PATIENCE_MS = 20_000;

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

/** @type {Record<import("./types.js").Kind, string>} */
const PATHS = { image: "/api/images", video: "/api/videos" };

/** @param {string} path @param {RequestInit} [options] */
async function call(path, options = {}) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(path, {
      ...options,
      headers: { ...options.headers, "Accept-Language": language.value },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new ApiError(0, "no_answer", "no answer came");
  }
  learn(response.headers.get("date"));
  const body = await response.json().catch(() => null);
  if (response.ok && (body !== null || response.status === 204)) return body;
  throw new ApiError(response.status, body?.code ?? "http_error", body?.detail ?? response.statusText, body?.errors);
}

/** Who is signed in. */
export const whoAmI = () => call("/api/me");

/** @param {string} key */
export const signInWithKey = (key) =>
  call("/signin/key", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ key }),
  });

export const signOut = () => call("/signout", { method: "POST" });

/** @param {import("./types.js").Kind} kind @param {import("./types.js").RequestBody} body */
export function generate(kind, body) {
  return call(`${PATHS[kind]}/generate`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** @param {import("./types.js").Kind} kind @param {string} id */
export const status = (kind, id) => call(`${PATHS[kind]}/${encodeURIComponent(id)}/status`);

/** @param {import("./types.js").Kind} kind @param {number} limit @param {string | null} cursor */
export function finished(kind, limit, cursor) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (cursor) query.set("cursor", cursor);
  return call(`${PATHS[kind]}/user?${query}`);
}

/** The description of the whole API. */
export const openapi = () => call("/openapi.json");
