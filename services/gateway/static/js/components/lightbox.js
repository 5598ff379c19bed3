/** The large view: one picture and its facts; arrows walk through the gallery, Esc closes. */
import { useLayoutEffect, useRef } from "../../vendor/preact-hooks.js";
import { change, focusAsked, reopen } from "../draft.js";
import { bytes, dimensions, duration, fullMoment, named, playTime } from "../format.js";
import { html } from "../html.js";
import { CHOICES } from "../kinds.js";
import { items, more, state } from "../library.js";
import { go, opened } from "../state.js";
import { say } from "../words.js";
import { Close, Left, Right } from "./icons.js";
import { MediaActions } from "./media-actions.js";

/** @typedef {import("../types.js").Generation} Generation */

const SWIPE_PX = 60;

/** Every picture of the gallery, in order. */
const all = () => items.value.flatMap((generation) => generation.files.map((_, index) => ({ generation, index })));

/** The picture so many steps away, or null at either end. @param {number} step */
function neighbour(step) {
  const here = opened.value;
  if (!here) return null;
  const list = all();
  const at = list.findIndex(({ generation, index }) => generation.id === here.generation.id && index === here.index);
  if (at === -1) {
    const index = here.index + step;
    return here.generation.files[index] ? { generation: here.generation, index } : null;
  }
  if (at + step >= list.length - 3 && state.value === "idle") void more();
  return list[at + step] ?? null;
}

/** @param {number} step */
function walk(step) {
  const next = neighbour(step);
  if (next) opened.value = next;
}

/** @param {Generation} generation @param {number} index */
function factsOf(generation, index) {
  const file = generation.files[index];
  const { model, style, quality, createdAt, completedAt, fromBackend } = generation;
  /** @type {[string, string | null][]} */
  const facts = [
    ["fact.when", fullMoment(createdAt)],
    ["fact.model", model && named("model", model)],
    ["fact.size", dimensions(`${file.width}x${file.height}`)],
    ["fact.length", file.seconds ? playTime(file.seconds) : null],
    ["fact.style", style && named("style", style)],
    ["fact.quality", quality && named("quality", quality)],
    ["fact.took", completedAt === null || fromBackend ? null : duration(completedAt - createdAt)],
    ["fact.file", [file.format, file.bytes && bytes(file.bytes)].filter(Boolean).join(" · ")],
  ];
  return facts.filter(([, value]) => value);
}

/** Take the prompt, and all else that was chosen, back to the composer. @param {Generation} generation */
function reuse(generation) {
  const { kind, prompt, style, quality, model, size, files } = generation;
  opened.value = null;
  go("/");
  reopen(kind, {
    prompt,
    style: style ?? "",
    quality: quality ?? "",
    model: model ?? "",
    size: size ?? "",
    [CHOICES.kinds[kind].countField]: Math.min(files.length, CHOICES.kinds[kind].maxCount) || 1,
  });
}

/** Width over height. @param {{generation: Generation, index: number}} here */
function shapeOf({ generation, index }) {
  const { width, height } = generation.files[index];
  return width / height;
}

/** @param {string} url */
function startFrom(url) {
  opened.value = null;
  go("/");
  change({ input: url }, "input_image_url");
  focusAsked.value += 1;
}

/** @param {{generation: Generation, index: number}} props */
const Large = ({ generation, index }) => {
  const file = generation.files[index];
  const alt = file.description ?? generation.prompt;
  const shape = { aspectRatio: `${file.width} / ${file.height}` };
  return generation.kind === "video"
    ? html`<video
        key=${file.id}
        src=${file.url}
        poster=${file.poster}
        style=${shape}
        controls
        autoplay
        loop
        playsinline
        aria-label=${alt}
      ></video>`
    : html`<img key=${file.id} src=${file.url} style=${shape} alt=${alt} draggable=${false} />`;
};

/** @param {{generation: Generation, index: number}} props */
const About = ({ generation, index }) => html`
  <div class="box-about">
    <p class="box-prompt">${generation.prompt}</p>
    <dl>
      ${factsOf(generation, index).map(
        ([words, value]) =>
          html`<div>
            <dt>${say(words)}</dt>
            <dd class="figure">${value}</dd>
          </div>`,
      )}
    </dl>
    ${generation.fromBackend ? html`<p class="warm">${say("gallery.backend")}</p>` : null}
    <div class="box-actions">
      <${MediaActions} file=${generation.files[index]} plain=${true} />
      <button type="button" class="plain" onClick=${() => reuse(generation)}>${say("media.reuse")}</button>
      ${
        generation.kind === "image"
          ? html`<button type="button" class="plain" onClick=${() => startFrom(generation.files[index].url)}>
              ${say("media.startFrom")}
            </button>`
          : null
      }
    </div>
  </div>
`;

/** A sideways swipe walks, as the arrows do. */
function useSwipe() {
  const from = useRef(0);
  return {
    onTouchStart: (/** @type {TouchEvent} */ event) => (from.current = event.touches[0].clientX),
    onTouchEnd: (/** @type {TouchEvent} */ event) => {
      const way = event.changedTouches[0].clientX - from.current;
      if (Math.abs(way) > SWIPE_PX) walk(way < 0 ? 1 : -1);
    },
  };
}

/** Arrows walk; on a film they belong to its own controls. @param {KeyboardEvent} event */
function onKeyDown(event) {
  if (event.target instanceof HTMLVideoElement) return;
  if (event.key === "ArrowLeft") walk(-1);
  if (event.key === "ArrowRight") walk(1);
}

export const Lightbox = () => {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const swipe = useSwipe();
  const here = opened.value;
  useLayoutEffect(() => {
    if (here && !dialog.current?.open) dialog.current?.showModal();
    if (!here && dialog.current?.open) dialog.current.close();
  }, [here]);
  const isOpen = here !== null;
  useLayoutEffect(() => {
    if (!isOpen) return;
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [isOpen]);
  const step = (/** @type {number} */ by, /** @type {string} */ words, /** @type {any} */ icon) => html`
    <button
      type="button"
      class=${`round glass step ${by < 0 ? "left" : "right"}`}
      aria-label=${say(words)}
      aria-disabled=${neighbour(by) === null ? "true" : null}
      onClick=${() => walk(by)}
    >
      ${icon}
    </button>
  `;
  return html`
    <dialog
      class="box"
      ref=${dialog}
      aria-label=${say("box.label")}
      onClose=${() => (opened.value = null)}
      onClick=${(/** @type {MouseEvent} */ event) => event.target === dialog.current && (opened.value = null)}
    >
      ${
        here
          ? html`
              <div class="box-stage" style=${{ "--shape": String(shapeOf(here)) }} ...${swipe}>
                <${Large} ...${here} />
                ${step(-1, "box.previous", html`<${Left} />`)} ${step(1, "box.next", html`<${Right} />`)}
              </div>
              <${About} ...${here} />
              <button
                type="button"
                class="round glass box-close"
                aria-label=${say("box.close")}
                onClick=${() => (opened.value = null)}
              >
                <${Close} />
              </button>
            `
          : null
      }
    </dialog>
  `;
};
