/** A picture that can be looked at closely: a press or `z` shows its own pixels, wheel and drag move about. */
import { useEffect, useRef, useState } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";

const MOST = 6;
const DRAGGED_PX = 5;

/** @param {{src: string, srcset: string | null, alt: string, shape: Record<string, string>, zoomed: boolean, setZoomed: (on: boolean) => void}} props */
export const Zoom = ({ src, srcset, alt, shape, zoomed, setZoomed }) => {
  const [view, setView] = useState({ scale: 1, x: 0, y: 0 });
  const from = useRef(/** @type {{x: number, y: number, moved: boolean} | null} */ (null));
  const image = useRef(/** @type {HTMLImageElement | null} */ (null));
  useEffect(() => {
    const element = image.current;
    const own = element ? Math.max(2, element.naturalWidth / Math.max(1, element.clientWidth)) : 2;
    setView({ scale: zoomed ? Math.min(MOST, own) : 1, x: 0, y: 0 });
  }, [zoomed, src]);
  const onWheel = (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    const scale = Math.min(MOST, Math.max(1, view.scale * (event.deltaY < 0 ? 1.15 : 1 / 1.15)));
    setView(scale === 1 ? { scale, x: 0, y: 0 } : { ...view, scale });
    if (scale === 1 && zoomed) setZoomed(false);
  };
  const down = (/** @type {PointerEvent} */ event) => {
    from.current = { x: event.clientX, y: event.clientY, moved: false };
    if (view.scale > 1) /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
  };
  const move = (/** @type {PointerEvent} */ event) => {
    const begin = from.current;
    if (!begin) return;
    const [x, y] = [event.clientX - begin.x, event.clientY - begin.y];
    if (Math.abs(x) + Math.abs(y) < DRAGGED_PX && !begin.moved) return;
    from.current = { x: event.clientX, y: event.clientY, moved: true };
    if (view.scale > 1) setView({ ...view, x: view.x + x, y: view.y + y });
  };
  const up = () => {
    if (from.current && !from.current.moved) setZoomed(!(zoomed || view.scale > 1));
    from.current = null;
  };
  return html`<img
    ref=${image}
    class=${view.scale > 1 ? "zoomed" : ""}
    src=${src}
    srcset=${view.scale > 1 ? null : srcset}
    sizes="100vw"
    alt=${alt}
    draggable=${false}
    style=${{ ...shape, transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
    onWheel=${onWheel}
    onPointerDown=${down}
    onPointerMove=${move}
    onPointerUp=${up}
    onPointerCancel=${() => (from.current = null)}
  />`;
};
