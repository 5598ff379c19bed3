/** The wall of cards: all of them are placed, only those near the eye are made. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../../vendor/preact-hooks.js";
import { signal } from "../../vendor/signals.js";
import { html } from "../base/html.js";
import { between, lay, step } from "../base/layout.js";
import { language, say } from "../base/words.js";
import { items } from "../store/gallery.js";
import { extendTo } from "../store/selection.js";
import { Card } from "./card.js";

/** @typedef {import("../types.js").Generation} Generation */

const AHEAD_PX = 700;
const STRIDE_PX = 160;
const MEASURED_LETTERS = 120;
const ARROWS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"];

/** The card that Tab leads to; arrows move it. */
const active = signal("");

/** How wide a caption's text would be on one line. */
function measurer() {
  const context = document.createElement("canvas").getContext("2d");
  if (context) context.font = `450 14.5px ${getComputedStyle(document.body).fontFamily}`;
  /** @type {Map<string, number>} */
  const known = new Map();
  return (/** @type {string} */ text) => {
    const begin = text.slice(0, MEASURED_LETTERS);
    const width = known.get(begin) ?? context?.measureText(begin).width ?? 0;
    known.set(begin, width);
    return width;
  };
}

/** The width of an element, whenever it changes. @param {{current: HTMLElement | null}} box */
function useWidth(box) {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** How far the window has gone past the wall's top, in strides, and how high it is. @param {{current: HTMLElement | null}} box */
function useStride(box) {
  const [stride, setStride] = useState(0);
  const [tall, setTall] = useState(innerHeight);
  useEffect(() => {
    let asked = 0;
    const look = () => {
      asked = 0;
      const top = box.current?.getBoundingClientRect().top ?? 0;
      setStride(Math.floor(-top / STRIDE_PX));
      setTall(innerHeight);
    };
    const ask = () => (asked ||= requestAnimationFrame(look));
    look();
    window.addEventListener("scroll", ask, { passive: true });
    window.addEventListener("resize", ask, { passive: true });
    return () => {
      cancelAnimationFrame(asked);
      window.removeEventListener("scroll", ask);
      window.removeEventListener("resize", ask);
    };
  }, []);
  return { stride, tall };
}

/** @param {KeyboardEvent} event @param {Generation[]} all @param {import("../base/layout.js").Spot[]} spots @param {HTMLElement | null} wall */
function onKeyDown(event, all, spots, wall) {
  const tile = /** @type {HTMLElement} */ (event.target).closest(".tile-open");
  // What is deleted leaves its place, and the focus, to the one after it: so this is heard before the card hears it.
  const leaves = event.key === "Delete";
  if (!tile || !(leaves || ARROWS.includes(event.key)) || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const from = all.findIndex((item) => item.id === tile.closest("li")?.dataset.id);
  const to = leaves ? (from + 1 < all.length ? from + 1 : from - 1) : step(spots, from, /** @type {any} */ (event.key));
  if (from === -1 || to === -1) return;
  if (event.shiftKey && !leaves) {
    extendTo(all[from].id);
    extendTo(all[to].id);
  }
  active.value = all[to].id;
  requestAnimationFrame(() => {
    const card = /** @type {HTMLElement | null | undefined} */ (wall?.querySelector(`li[data-id="${all[to].id}"]`));
    card?.scrollIntoView({ block: "nearest" });
    /** @type {HTMLElement | null | undefined} */ (card?.querySelector(".tile-open"))?.focus({ preventScroll: true });
  });
}

/** One place on the wall; it is made anew only when something of it changed. @param {Map<string, any>} made @param {any} props */
function placed(made, { item, spot, caption, width, isActive, index, many }) {
  const before = made.get(item.id);
  const key = `${spot.x} ${spot.y} ${width} ${caption} ${isActive} ${index} ${many} ${language.value}`;
  if (before?.item === item && before.key === key) return before.node;
  const style = { transform: `translate(${spot.x}px, ${spot.y}px)`, width: `${width}px`, height: `${spot.height}px` };
  const node = html`
    <li
      key=${item.id}
      data-id=${item.id}
      style=${style}
      aria-setsize=${many}
      aria-posinset=${index + 1}
      onFocusIn=${() => (active.value = item.id)}
    >
      <${Card} generation=${item} caption=${caption} width=${width} active=${isActive} />
    </li>
  `;
  made.set(item.id, { item, key, node });
  return node;
}

export const Wall = () => {
  const wall = useRef(/** @type {HTMLElement | null} */ (null));
  const made = useRef(/** @type {Map<string, any>} */ (new Map()));
  const width = useWidth(wall);
  const { stride, tall } = useStride(wall);
  const measure = useMemo(measurer, []);
  const all = items.value;
  const { spots, captions, column, height } = useMemo(() => lay(all, Math.max(width, 1), measure), [all, width]);
  const top = stride * STRIDE_PX;
  const seen = width ? between(spots, top - AHEAD_PX, top + tall + AHEAD_PX + STRIDE_PX) : [];
  let here = all.findIndex((item) => item.id === active.value);
  if (here === -1) here = 0;
  // The card that has the focus stays, however far one scrolls.
  const shown = width && all.length && !seen.includes(here) ? [...seen, here].sort((a, b) => a - b) : seen;
  const nodes = shown.map((index) =>
    placed(made.current, {
      item: all[index],
      spot: spots[index],
      caption: captions[index],
      width: column,
      isActive: index === here,
      index,
      many: all.length,
    }),
  );
  const kept = new Set(shown.map((index) => all[index].id));
  for (const id of made.current.keys()) if (!kept.has(id)) made.current.delete(id);
  return html`
    <ul
      class="wall"
      ref=${wall}
      style=${{ height: `${height}px` }}
      aria-label=${say("gallery.title")}
      onKeyDownCapture=${(/** @type {KeyboardEvent} */ event) => onKeyDown(event, all, spots, wall.current)}
    >
      ${nodes}
    </ul>
  `;
};
