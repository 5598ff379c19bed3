/** From the server's answers and events to the page's own shapes; what is missing is filled once, here. */
import { CHOICES, pixels } from "./kinds.js";

/** @typedef {import("./types.js").Kind} Kind */

/** An address that may stand in a link or a picture: nothing that runs. @param {unknown} url */
export function safeUrl(url) {
  if (typeof url !== "string") return "";
  return /^(https?:\/\/|\/(?!\/))/i.test(url) ? url : "";
}

/** The name to save a file under. @param {string} url @param {string} fallback */
function filenameOf(url, fallback) {
  const last = url.split(/[?#]/)[0].split("/").pop() ?? "";
  try {
    return decodeURIComponent(last) || fallback;
  } catch {
    return fallback;
  }
}

/** @param {number | null | undefined} width @param {number | null | undefined} height @param {string | null} size */
function measured(width, height, size) {
  if (width && height) return { width, height };
  // A backend may not say; the size that was asked for keeps the place until the picture is there.
  const [w, h] = pixels(size ?? "1x1");
  return { width: w, height: h };
}

/** @param {any} file @param {string | null} size @returns {import("./types.js").MediaFile} */
function ofGallery(file, size) {
  const url = safeUrl(file.fileUrl);
  return {
    id: file.id,
    url,
    poster: safeUrl(file.thumbnailUrl) || null,
    format: file.format ?? null,
    ...measured(file.width, file.height, size),
    bytes: file.fileSize ?? null,
    seconds: file.durationSeconds ?? null,
    filename: file.filename ?? filenameOf(url, "media"),
    description: file.description ?? null,
  };
}

/** @param {any} file @param {string | null} size @returns {import("./types.js").MediaFile} */
export function ofEvent(file, size) {
  const url = safeUrl(file.url);
  return {
    id: file.id,
    url,
    poster: safeUrl(file.thumbnail_url) || null,
    format: file.format ?? null,
    ...measured(file.width, file.height, size),
    bytes: file.size_bytes ?? null,
    seconds: file.duration_seconds ?? null,
    filename: file.filename ?? filenameOf(url, "media"),
    description: null,
  };
}

/** @param {Kind} kind @param {any} item @returns {import("./types.js").Generation} */
export function generation(kind, item) {
  const size = item.size ?? null;
  const files = item[CHOICES.kinds[kind].plural] ?? [];
  return {
    id: item.id,
    kind,
    prompt: item.prompt,
    createdAt: Date.parse(item.createdAt),
    completedAt: item.completedAt ? Date.parse(item.completedAt) : null,
    model: item.model ?? null,
    size,
    style: item.style ?? null,
    quality: item.quality ?? null,
    fromBackend: item.source === "backend-direct",
    files: files.map((/** @type {any} */ file) => ofGallery(file, size)),
  };
}

/** A finished job as the gallery would show it, before the gallery knows it. */
export function generationOfJob(
  /** @type {import("./types.js").Job} */ job,
  /** @type {import("./types.js").RequestBody | null} */ body,
  /** @type {string} */ prompt,
) {
  const text = (/** @type {string} */ name) => (body && name in body ? String(body[name]) : null);
  return {
    id: job.id,
    kind: job.kind,
    prompt,
    createdAt: job.createdAt,
    completedAt: job.endedAt,
    model: text("model") ?? (body ? CHOICES.defaultModel : null),
    size: text("size"),
    style: text("style"),
    quality: text("quality"),
    fromBackend: false,
    files: job.files,
  };
}
