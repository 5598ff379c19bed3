/** An image of the person's own to start from: judged here, sent straight to the bucket, named in the draft. */
import { signal } from "../../vendor/signals.js";
import { ApiError, at, post } from "../base/api.js";
import { fileFault } from "../base/rules.js";
import { knows, say } from "../base/words.js";
import { change, faults } from "./draft.js";
import { problemInWords } from "./session.js";

const SMALL_PX = 112;
const PATIENCE_MS = 60_000;

/** The name of what is on its way, or nothing. */
export const uploading = signal("");

let turn = 0;

/** Start from nothing; what is on its way is not waited for. */
export function forgetInput() {
  turn += 1;
  uploading.value = "";
  change({ input: "", inputName: "", inputPicture: "" }, "input_image_url");
}

/** @param {ArrayBuffer} bytes */
async function sha256(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A small picture to show in the composer, also after a reload. @param {Blob} file */
async function small(file) {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return "";
  const scale = SMALL_PX / Math.min(picture.width, picture.height);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SMALL_PX;
  const [width, height] = [picture.width * scale, picture.height * scale];
  canvas.getContext("2d")?.drawImage(picture, (SMALL_PX - width) / 2, (SMALL_PX - height) / 2, width, height);
  return canvas.toDataURL("image/jpeg", 0.7);
}

/** @param {string} url @param {Record<string, string>} fields @param {File} file */
async function send(url, fields, file) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  const answer = await fetch(url, { method: "POST", body: form, signal: AbortSignal.timeout(PATIENCE_MS) }).catch(
    () => null,
  );
  if (!answer?.ok) throw new ApiError(answer?.status ?? 0, "no_answer", "the bucket did not take the file");
}

/** @param {File} file */
async function store(file) {
  const bytes = await file.arrayBuffer();
  const begun = await post("/api/uploads", {
    content_type: file.type,
    size_bytes: file.size,
    sha256: await sha256(bytes),
    filename: file.name || "image",
  });
  if (!begun.exists) await send(begun.url, begun.fields, file);
  await post(at`/api/uploads/${begun.upload_id}/complete`);
  return `upload:${begun.upload_id}`;
}

/** Take a file as the image to start from. @param {File} file */
export async function takeFile(file) {
  const fault = fileFault(file) ?? (globalThis.crypto?.subtle ? null : "field.upload_insecure");
  if (fault) {
    faults.value = { ...faults.value, input_image_url: say(fault) };
    return;
  }
  turn += 1;
  const mine = turn;
  uploading.value = file.name || "image";
  try {
    const [input, inputPicture] = await Promise.all([store(file), small(file)]);
    if (mine !== turn) return;
    change({ input, inputName: file.name || say("composer.inputPasted"), inputPicture }, "input_image_url");
  } catch (error) {
    if (mine !== turn) return;
    const code = error instanceof ApiError ? `field.${error.code}` : "";
    faults.value = { ...faults.value, input_image_url: knows(code) ? say(code) : problemInWords(error) };
  } finally {
    if (mine === turn) uploading.value = "";
  }
}
