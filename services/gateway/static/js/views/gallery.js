/** The gallery: found, filtered, newest first, page after page, and its quiet states. */
import { useEffect, useRef } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";
import { describePlace, go, place } from "../base/places.js";
import { say } from "../base/words.js";
import { Icon } from "../parts/icons.js";
import { FilterBar, Shown } from "../parts/filters.js";
import { SelectionBar } from "../parts/selection-bar.js";
import { Empty, Failed } from "../parts/states.js";
import { Wall } from "../parts/wall.js";
import { draft, reopen } from "../store/draft.js";
import { addressOf, filtered, filters, items, more, restart, showWaiting, state, waiting } from "../store/gallery.js";

const GHOSTS = [1.2, 0.75, 1, 1.3, 0.8, 1.1, 0.9, 1, 1.2, 0.8, 1.1, 0.75];

/** Show another list; on the gallery's own page its address says which. @param {Partial<import("../store/gallery.js").Filters>} changes */
function narrow(changes) {
  const wanted = { ...filters.value, ...changes };
  if (place.value.view === "gallery") describePlace(new URLSearchParams(addressOf(wanted)));
  void restart(wanted);
}

const Nothing = () => {
  if (filtered.value) {
    const none = { q: "", kind: "", model: "", source: "", since: "", album: "", favourite: false, deleted: false };
    return html`<${Empty} title=${say("empty.filtered")} text=${say("empty.filteredText")}>
      <button type="button" class="chip" onClick=${() => narrow(none)}>${say("empty.all")}</button>
    <//>`;
  }
  const begin = (/** @type {string} */ prompt) => {
    go("/");
    reopen(draft.value.kind, { prompt });
  };
  const examples = /** @type {string[]} */ (/** @type {unknown} */ (say("empty.examples")));
  return html`<${Empty} title=${say("empty.title")} text=${say("empty.text")}>
    <ul>
      ${examples.map(
        (prompt) => html`<li><button type="button" class="chip" onClick=${() => begin(prompt)}>${prompt}</button></li>`,
      )}
    </ul>
  <//>`;
};

/** The end of the list: coming near it loads the next page. */
const End = () => {
  const mark = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (!mark.current || state.value !== "idle") return;
    const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && void more(), {
      rootMargin: "1500px",
    });
    observer.observe(mark.current);
    return () => observer.disconnect();
  }, [state.value, items.value.length]);
  if (state.value === "failed" && items.value.length === 0)
    return html`<div role="alert">
      <${Empty} title=${say("gallery.failed")} text=${say("gallery.failedText")}>
        <button type="button" class="chip" onClick=${() => void more()}>${say("again")}</button>
      <//>
    </div>`;
  if (state.value === "failed") return html`<${Failed} words=${say("gallery.failed")} again=${() => void more()} />`;
  return html`
    <p class="quiet" ref=${mark}>
      ${state.value === "loading" && items.value.length ? say("gallery.loading") : null}
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
    <button type="button" class="fresh" onClick=${show}>
      <${Icon} name="up" />${say("gallery.fresh", waiting.value.length)}
    </button>
  `;
};

const Ghosts = () => html`
  <div class="ghosts" aria-hidden="true">
    ${GHOSTS.map((tall, index) => html`<div class="ghost" key=${index} style=${{ aspectRatio: `1 / ${tall}` }}></div>`)}
  </div>
`;

export const Gallery = () => {
  const none = items.value.length === 0;
  const loading = none && (state.value === "loading" || state.value === "idle");
  return html`
    <section class="gallery" aria-labelledby="gallery-title" aria-busy=${loading ? "true" : "false"}>
      <h2 id="gallery-title" class="unseen" tabindex="-1">${say("gallery.title")}</h2>
      <${FilterBar} narrow=${narrow} />
      <${Shown} narrow=${narrow} />
      <${Fresh} />
      ${loading ? html`<${Ghosts} />` : null}
      ${none && state.value === "end" ? html`<${Nothing} />` : null}
      ${none ? null : html`<${Wall} />`}
      <${End} />
      <${SelectionBar} />
    </section>
  `;
};
