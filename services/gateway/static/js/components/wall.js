/** The wall of cards: measured, then placed, before anything is painted; what is new glides in. */
import { useLayoutEffect, useRef } from "../../vendor/preact-hooks.js";
import { html } from "../html.js";
import { columns, place } from "../layout.js";
import { language } from "../words.js";

/**
 * Place the children of the list. Heights are remembered by key until the width or the language changes.
 * @param {HTMLElement} wall @param {Map<string, number>} heights
 */
function arrange(wall, heights) {
  const grid = columns(wall.clientWidth);
  const signature = `${grid.column} ${language.value} ${devicePixelRatio}`;
  if (wall.dataset.signature !== signature) {
    heights.clear();
    wall.dataset.signature = signature;
    wall.style.setProperty("--column", `${grid.column}px`);
  }
  const cards = /** @type {HTMLElement[]} */ ([...wall.children]);
  for (const card of cards) {
    const key = card.dataset.key ?? "";
    if (!heights.has(key)) heights.set(key, card.offsetHeight);
  }
  const { spots, height } = place(
    cards.map((card) => heights.get(card.dataset.key ?? "") ?? 0),
    grid,
  );
  cards.forEach((card, index) => {
    card.style.transform = `translate(${spots[index].x}px, ${spots[index].y}px)`;
  });
  wall.style.height = `${height}px`;
  // Only from its second place on does a card glide: the first one has to be known before gliding is allowed.
  requestAnimationFrame(() => {
    void wall.offsetHeight;
    cards.forEach((card) => card.classList.add("placed"));
  });
}

/** @param {{entries: {key: string, card: any}[], label: string}} props */
export const Wall = ({ entries, label }) => {
  const wall = useRef(/** @type {HTMLElement | null} */ (null));
  const heights = useRef(/** @type {Map<string, number>} */ (new Map()));
  void language.value;
  useLayoutEffect(() => {
    if (wall.current) arrange(wall.current, heights.current);
  });
  useLayoutEffect(() => {
    const element = wall.current;
    if (!element) return;
    let width = element.clientWidth;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      arrange(element, heights.current);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return html`
    <ul class="wall" ref=${wall} aria-label=${label}>
      ${entries.map(({ key, card }) => html`<li key=${key} data-key=${key}>${card}</li>`)}
    </ul>
  `;
};
