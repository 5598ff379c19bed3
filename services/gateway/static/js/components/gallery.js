/** The gallery: newest first, page after page, and its quiet states. */
import { useEffect, useRef } from "../../vendor/preact-hooks.js";
import { draft, reopen } from "../draft.js";
import { html } from "../html.js";
import { filter, items, more, restart, showWaiting, state, waiting } from "../library.js";
import { go } from "../state.js";
import { say } from "../words.js";
import { Card, Ghost } from "./card.js";
import { Mark, Up } from "./icons.js";
import { Wall } from "./wall.js";

const GHOSTS = [1.3, 0.75, 1, 1.2, 0.8, 1.1, 0.9, 1];

const Filters = () => html`
  <div class="filters" role="group" aria-label=${say("gallery.filter")}>
    ${
      /** @type {const} */ (["all", "image", "video"]).map(
        (kind) => html`
          <button type="button" class="chip" aria-pressed=${filter.value === kind} onClick=${() => restart(kind)}>
            ${say(`kinds.${kind}`)}
          </button>
        `,
      )
    }
  </div>
`;

const Empty = () => {
  if (filter.value !== "all") return html`<p class="quiet">${say("empty.filtered")}</p>`;
  const begin = (/** @type {string} */ prompt) => {
    go("/");
    reopen(draft.value.kind, { prompt });
  };
  return html`
    <div class="empty">
      <${Mark} />
      <h3>${say("empty.title")}</h3>
      <p>${say("empty.text")}</p>
      <ul>
        ${
          /** @type {any} */ (say("empty.examples")).map(
            (/** @type {string} */ prompt) =>
              html`<li><button type="button" class="chip" onClick=${() => begin(prompt)}>${prompt}</button></li>`,
          )
        }
      </ul>
    </div>
  `;
};

/** The end of the list: coming near it loads the next page. */
const End = () => {
  const mark = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (!mark.current || state.value !== "idle") return;
    const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && void more(), {
      rootMargin: "900px",
    });
    observer.observe(mark.current);
    return () => observer.disconnect();
  }, [state.value, items.value.length]);
  if (state.value === "failed") {
    return html`
      <p class="quiet" role="alert">
        ${say("gallery.failed")}
        <button type="button" class="plain accent" onClick=${() => void more()}>${say("again")}</button>
      </p>
    `;
  }
  return html`
    <p class="quiet" ref=${mark} aria-live="polite">
      ${state.value === "loading" ? say("gallery.loading") : null}
      ${state.value === "end" && items.value.length > 8 ? say("gallery.end") : null}
    </p>
  `;
};

const Fresh = () => {
  if (waiting.value.length === 0) return null;
  const show = () => {
    showWaiting();
    document.getElementById("gallery-title")?.scrollIntoView({ block: "start" });
  };
  return html`
    <button type="button" class="fresh" onClick=${show}><${Up} />${say("gallery.fresh", waiting.value.length)}</button>
  `;
};

export const Gallery = () => {
  const loading = items.value.length === 0 && (state.value === "loading" || state.value === "idle");
  const entries = loading
    ? GHOSTS.map((tall, index) => ({ key: `ghost-${index}`, card: html`<${Ghost} tall=${tall} />` }))
    : items.value.map((item) => ({ key: item.id, card: html`<${Card} generation=${item} />` }));
  const empty = items.value.length === 0 && state.value === "end";
  return html`
    <section class="gallery" aria-labelledby="gallery-title" aria-busy=${loading ? "true" : "false"}>
      <div class="section-head">
        <h2 id="gallery-title" tabindex="-1">${say("gallery.title")}</h2>
        <${Filters} />
      </div>
      <${Fresh} />
      ${empty ? html`<${Empty} />` : html`<${Wall} entries=${entries} label=${say("gallery.title")} />`}
      <${End} />
    </section>
  `;
};
