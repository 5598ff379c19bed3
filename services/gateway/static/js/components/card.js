/** One generation of the gallery: its pictures share the card, the prompt stands under them in full. */
import { useLayoutEffect, useRef } from "../../vendor/preact-hooks.js";
import { briefDimensions, fullMoment, moment, named } from "../format.js";
import { html } from "../html.js";
import { mosaic } from "../layout.js";
import { opened } from "../state.js";
import { say } from "../words.js";
import { Tile } from "./media.js";
import { MediaActions } from "./media-actions.js";

/** @typedef {import("../types.js").Generation} Generation */

/** The quiet line under the prompt. @param {Generation} generation */
function facts({ kind, files, model, size }) {
  return [
    kind === "video" ? say("kind.video") : null,
    files.length > 1 && kind === "image" ? say("gallery.images", files.length) : null,
    model ? named("model", model) : null,
    size ? briefDimensions(size) : null,
  ].filter(Boolean);
}

/** @typedef {{x: number, y: number, width: number, height: number}} Box */

/** @param {{generation: Generation, index: number, box: Box, whole: number}} props */
const Place = ({ generation, index, box, whole }) => {
  const file = generation.files[index];
  const many = generation.files.length;
  const label =
    many > 1 ? say("media.openOf", generation.prompt, index + 1, many) : say("media.open", generation.prompt);
  const style = {
    left: `${box.x}%`,
    top: `${(box.y / whole) * 100}%`,
    width: `${box.width}%`,
    height: `${(box.height / whole) * 100}%`,
  };
  return html`
    <div class="tile" style=${style}>
      <${Tile}
        file=${file}
        film=${generation.kind === "video"}
        alt=${file.description ?? generation.prompt}
        label=${label}
        onOpen=${() => (opened.value = { generation, index })}
      />
      <div class="tile-actions"><${MediaActions} file=${file} /></div>
    </div>
  `;
};

/** @param {{generation: Generation}} props */
export const Card = ({ generation }) => {
  const { prompt, createdAt, files, fromBackend } = generation;
  const { tiles, height } = mosaic(files);
  const more = files.length - tiles.length;
  const line = facts(generation);
  return html`
    <article class="card">
      ${
        tiles.length
          ? html`<div class="tiles" style=${{ aspectRatio: `100 / ${height}` }}>
              ${tiles.map((box, index) => {
                const place = { key: files[index].id, generation, index, box, whole: height };
                return html`<${Place} ...${place} />`;
              })}
              ${more > 0 ? html`<span class="more-files">+${more}</span>` : null}
            </div>`
          : null
      }
      <div class="caption">
        <h3>${prompt}</h3>
        <p class="facts muted figure">
          <time datetime=${new Date(createdAt).toISOString()} title=${fullMoment(createdAt)}>${moment(createdAt)}</time>
          ${line.map((fact) => html`<span>${fact}</span>`)}
          ${fromBackend ? html`<span class="warm">${say("gallery.backend")}</span>` : null}
        </p>
      </div>
    </article>
  `;
};

/** A card-shaped place while the first page loads. @param {{tall: number}} props */
export const Ghost = ({ tall }) => {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    if (box.current) box.current.style.aspectRatio = `1 / ${tall}`;
  }, [tall]);
  return html`<div class="card ghost" aria-hidden="true">
    <div class="tiles" ref=${box}></div>
    <div class="caption"></div>
  </div>`;
};
