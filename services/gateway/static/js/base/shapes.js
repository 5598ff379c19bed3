/** From the server's answers and events to the page's own shapes; what is missing is filled once, here. */
import { CHOICES, pixels } from "./kinds.js";

/** @typedef {import("../types.js").Kind} Kind */
/** @typedef {import("../types.js").MediaFile} MediaFile */
/** @typedef {import("../types.js").Generation} Generation */

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

/** Smaller versions, narrowest first. @param {any[] | undefined} thumbnails */
const smallerOf = (thumbnails) =>
  (thumbnails ?? [])
    .map((small) => ({ width: Number(small.width), url: safeUrl(small.url) }))
    .filter((small) => small.url && small.width > 0);

/** A file as rows tell it (camelCase) or as events do (snake_case). @param {any} file @param {string | null} size @returns {MediaFile} */
export function mediaFile(file, size) {
  const url = safeUrl(file.fileUrl ?? file.url);
  return {
    id: file.id,
    url,
    poster: safeUrl(file.thumbnailUrl ?? file.thumbnail_url) || null,
    smaller: smallerOf(file.thumbnails),
    placeholder: file.placeholder ?? null,
    format: file.format ?? null,
    ...measured(file.width, file.height, size),
    bytes: file.fileSize ?? file.size_bytes ?? null,
    seconds: file.durationSeconds ?? file.duration_seconds ?? null,
    filename: file.filename ?? filenameOf(url, "media"),
  };
}

/** @param {any} item @returns {Generation} */
export function generation(item) {
  const kind = /** @type {Kind} */ (item.kind);
  const size = item.size ?? null;
  // A kind that this page does not know yet is listed under its plural too.
  const files = item[CHOICES.kinds[kind]?.plural ?? `${kind}s`] ?? [];
  return {
    id: item.id,
    kind,
    prompt: item.prompt,
    segments: item.match?.segments ?? null,
    status: item.jobStatus ?? item.status,
    createdAt: Date.parse(item.createdAt),
    completedAt: item.completedAt ? Date.parse(item.completedAt) : null,
    model: item.model ?? null,
    size,
    style: item.style ?? null,
    quality: item.quality ?? null,
    format: item.format ?? null,
    favourite: item.favourite === true,
    parentId: item.parentId ?? null,
    deletedAt: item.deletedAt ? Date.parse(item.deletedAt) : null,
    fromBackend: item.source === "backend-direct",
    files: files.map((/** @type {any} */ file) => mediaFile(file, size)),
  };
}

/** A finished job as the gallery would show it, before the gallery knows it. @param {import("../types.js").Job} job @returns {Generation} */
export function generationOfJob(job) {
  return {
    id: job.id,
    kind: job.kind,
    prompt: job.prompt ?? "",
    segments: null,
    status: job.status,
    createdAt: job.createdAt,
    completedAt: job.endedAt,
    model: job.model,
    size: null,
    style: null,
    quality: null,
    format: null,
    favourite: false,
    parentId: job.parentId,
    deletedAt: null,
    fromBackend: false,
    files: job.files,
  };
}
