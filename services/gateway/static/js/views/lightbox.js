/** The large view: one picture and its facts; arrows walk through the gallery, Esc closes. */
import { useLayoutEffect, useRef, useState } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { About } from "../parts/about.js";
import { IconButton } from "../parts/buttons.js";
import { Placeholder } from "../parts/media.js";
import { Zoom } from "../parts/zoom.js";
import { items, more, state } from "../store/gallery.js";
import { favour } from "../store/library.js";
import { opened, question } from "../store/opened.js";

/** @typedef {import("../types.js").Generation} Generation */

const SWIPE_PX = 60;
const NEAR_END = 6;

/** The picture so many steps away, or null at either end. @param {number} by */
function neighbour(by) {
  const here = opened.value;
  if (!here) return null;
  const inside = here.index + by;
  if (here.generation.files[inside]) return { generation: here.generation, index: inside };
  const at = items.value.findIndex((item) => item.id === here.generation.id);
  if (at === -1) return null;
  if (at >= items.value.length - NEAR_END && state.value === "idle") void more();
  let to = at + by;
  // What has no file (a backend's row, say) cannot be looked at.
  while (items.value[to] && items.value[to].files.length === 0) to += by;
  const next = items.value[to];
  return next ? { generation: next, index: by > 0 ? 0 : next.files.length - 1 } : null;
}

/** @param {number} by */
function walk(by) {
  const next = neighbour(by);
  if (next) opened.value = next;
}

const close = () => (opened.value = null);

/** @param {{generation: Generation, index: number, zoomed: boolean, setZoomed: (on: boolean) => void}} props */
const Large = ({ generation, index, zoomed, setZoomed }) => {
  const file = generation.files[index];
  const shape = { aspectRatio: `${file.width} / ${file.height}` };
  const alt = generation.prompt.slice(0, 400);
  if (generation.kind === "video") {
    return html`<video
      key=${file.id}
      src=${file.url}
      poster=${file.poster}
      style=${shape}
      controls
      autoplay
      loop
      playsinline
      aria-label=${alt}
    ></video>`;
  }
  const versions = [...file.smaller, { width: file.width, url: file.url }];
  return html`
    ${file.placeholder ? html`<div class="box-under" style=${shape}><${Placeholder} hash=${file.placeholder} /></div>` : null}
    <${Zoom}
      key=${file.id}
      src=${file.url}
      srcset=${file.smaller.length ? versions.map(({ url, width }) => `${url} ${width}w`).join(", ") : null}
      alt=${alt}
      shape=${shape}
      zoomed=${zoomed}
      setZoomed=${setZoomed}
    />
  `;
};

/** A sideways swipe walks, as the arrows do. @param {boolean} zoomed */
function useSwipe(zoomed) {
  const from = useRef(0);
  return {
    onTouchStart: (/** @type {TouchEvent} */ event) => (from.current = event.touches[0].clientX),
    onTouchEnd: (/** @type {TouchEvent} */ event) => {
      const way = event.changedTouches[0].clientX - from.current;
      if (Math.abs(way) > SWIPE_PX && !zoomed) walk(way < 0 ? 1 : -1);
    },
  };
}

/** @param {KeyboardEvent} event @param {Record<string, () => void>} keys */
function onKey(event, keys) {
  // On a film arrows belong to its own controls; a question lies above; menus walk by themselves.
  const target = /** @type {HTMLElement} */ (event.target);
  if (question.value || target instanceof HTMLVideoElement || target.closest?.("[role=menu]")) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  keys[event.key]?.();
}

/** @param {{here: {generation: Generation, index: number}}} props */
const Open = ({ here }) => {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [zoomed, setZoomed] = useState(false);
  const [info, setInfo] = useState(true);
  const swipe = useSwipe(zoomed);
  const { generation, index } = here;
  const { width, height } = generation.files[index];
  useLayoutEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    dialog.current?.showModal();
    return () => before?.focus?.({ preventScroll: true });
  }, []);
  useLayoutEffect(() => setZoomed(false), [generation.id, index]);
  useLayoutEffect(() => {
    const listen = (/** @type {KeyboardEvent} */ event) =>
      onKey(event, {
        ArrowLeft: () => walk(-1),
        ArrowRight: () => walk(1),
        z: () => setZoomed(!zoomed),
        i: () => setInfo(!info),
        f: () => {
          void favour([generation], !generation.favourite);
          opened.value = { generation: { ...generation, favourite: !generation.favourite }, index };
        },
      });
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  });
  const step = (/** @type {number} */ by, /** @type {string} */ words, /** @type {string} */ side) => html`
    <button
      type="button"
      class=${`round glass step ${side}`}
      aria-label=${say(words)}
      disabled=${neighbour(by) === null}
      onClick=${() => walk(by)}
    >
      <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
        <path d=${by < 0 ? "m14.5 5-7 7 7 7" : "m9.5 5 7 7-7 7"} />
      </svg>
    </button>
  `;
  return html`
    <dialog class=${`box ${info ? "" : "alone"}`} ref=${dialog} aria-label=${say("box.label")} onClose=${close}>
      <div class="box-stage" style=${{ "--shape": String(width / height) }} ...${swipe}>
        <${Large} generation=${generation} index=${index} zoomed=${zoomed} setZoomed=${setZoomed} />
        ${step(-1, "box.previous", "left")} ${step(1, "box.next", "right")}
        <div class="box-tools">
          ${
            generation.kind === "image"
              ? html`<${IconButton} icon="search" look="glass" label=${say("box.zoom")} pressed=${zoomed} onClick=${() => setZoomed(!zoomed)} />`
              : null
          }
          <${IconButton} icon="info" look="glass" label=${say("box.info")} pressed=${info} onClick=${() => setInfo(!info)} />
          <${IconButton} icon="close" look="glass box-close" label=${say("box.close")} onClick=${close} />
        </div>
      </div>
      ${info ? html`<${About} generation=${generation} index=${index} />` : null}
    </dialog>
  `;
};

export const Lightbox = () => {
  const here = opened.value;
  return here && here.generation.files[here.index] ? html`<${Open} here=${here} />` : null;
};
