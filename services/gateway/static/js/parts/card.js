/** One generation of the gallery: its pictures share the card, the prompt stands under them. */
import { useState } from "../../vendor/preact-hooks.js";
import { briefDimensions, fullMoment, moment, named } from "../base/format.js";
import { html } from "../base/html.js";
import { mosaic } from "../base/layout.js";
import { say } from "../base/words.js";
import { bringBack, discard, favour } from "../store/library.js";
import { opened } from "../store/opened.js";
import { extendTo, selected, selecting, toggle } from "../store/selection.js";
import { IconButton, Menu } from "./buttons.js";
import { actionsOf, downloadOf } from "./generation-actions.js";
import { Icon } from "./icons.js";
import { Placeholder, Tile } from "./media.js";

/** @typedef {import("../types.js").Generation} Generation */

// A finger does not hover.
const TOUCHED = matchMedia("(hover: none)");

/** The quiet line under the prompt. @param {Generation} generation */
function facts({ kind, files, model, size }) {
  return [
    kind === "video" ? say("kind.video") : null,
    files.length > 1 && kind === "image" ? say("gallery.images", files.length) : null,
    model ? named("model", model) : null,
    size ? briefDimensions(size) : null,
  ].filter(Boolean);
}

/** The prompt, with what was searched for marked; every piece is text. @param {{generation: Generation}} props */
export const Prompt = ({ generation }) =>
  generation.segments
    ? generation.segments.map(({ text, match }) => (match ? html`<mark>${text}</mark>` : text))
    : generation.prompt;

/** A press opens; with shift, or while choosing, it chooses. @param {MouseEvent} event @param {Generation} generation @param {number} index */
function press(event, generation, index) {
  if (event.shiftKey) extendTo(generation.id);
  else if (selecting.value || event.ctrlKey || event.metaKey) toggle(generation.id);
  else opened.value = { generation, index };
}

/** @typedef {{x: number, y: number, width: number, height: number}} Box */

/** @param {{generation: Generation, index: number, box: Box, whole: number, width: number, active: boolean}} props */
const Place = ({ generation, index, box, whole, width, active }) => {
  const { prompt, files, kind } = generation;
  const style = {
    left: `${box.x}%`,
    top: `${(box.y / whole) * 100}%`,
    width: `${box.width}%`,
    height: `${(box.height / whole) * 100}%`,
  };
  // What lies in the trash is not served: its colours stand for it.
  if (generation.deletedAt !== null) {
    const { placeholder } = files[index];
    return html`<div class="tile" style=${style}>${placeholder ? html`<${Placeholder} hash=${placeholder} />` : null}</div>`;
  }
  return html`
    <div class="tile" style=${style}>
      <${Tile}
        file=${files[index]}
        film=${kind === "video"}
        width=${(width * box.width) / 100}
        label=${files.length > 1 ? say("media.openOf", prompt, index + 1, files.length) : say("media.open", prompt)}
        tabindex=${active ? 0 : -1}
        onPress=${(/** @type {MouseEvent} */ event) => press(event, generation, index)}
      />
    </div>
  `;
};

/** What lies over the pictures. @param {{generation: Generation, active: boolean}} props */
const Over = ({ generation, active }) => {
  const { id, favourite, files, deletedAt } = generation;
  const tabindex = active ? 0 : -1;
  const chosen = selected.value.has(id);
  return html`
    <label class=${`choose ${chosen ? "chosen" : ""}`}>
      <input
        type="checkbox"
        checked=${chosen}
        tabindex=${tabindex}
        aria-label=${say("select.one", generation.prompt)}
        onClick=${(/** @type {MouseEvent} */ event) => (event.shiftKey ? extendTo(id) : toggle(id))}
      />
      <${Icon} name="check" />
    </label>
    <div class=${`card-actions ${deletedAt === null ? "" : "stay"}`}>
      ${
        deletedAt === null
          ? html`
              ${files.length ? downloadOf(generation, tabindex) : null}
              <${Menu} look="round glass" label=${say("actions")} tabindex=${tabindex} items=${() => actionsOf(generation)}>
                <${Icon} name="more" />
              <//>
            `
          : html`<${IconButton}
              icon="restore"
              look="glass"
              label=${say("restore")}
              tabindex=${tabindex}
              onClick=${() => void bringBack([generation])}
            />`
      }
    </div>
    ${
      deletedAt === null
        ? html`<${IconButton}
            icon="star"
            solid=${favourite}
            look=${`glass favour ${favourite ? "on" : ""}`}
            label=${say(favourite ? "favourite.remove" : "favourite.add")}
            pressed=${favourite}
            tabindex=${tabindex}
            onClick=${() => void favour([generation], !favourite)}
          />`
        : null
    }
  `;
};

/**
 * What a key does to the card it is pressed on; arrows are the wall's.
 * @param {KeyboardEvent} event @param {Generation} generation
 */
export function onCardKey(event, generation) {
  const tile = /** @type {HTMLElement} */ (event.target).closest(".tile-open");
  if (!tile || event.ctrlKey || event.metaKey || event.altKey || generation.deletedAt !== null) return;
  if (event.key === "f") void favour([generation], !generation.favourite);
  else if (event.key === "x" || event.key === " ") toggle(generation.id);
  else if (event.key === "Delete") void discard([generation]);
  else return;
  event.preventDefault();
}

/** @param {{generation: Generation, caption: string, width: number, active: boolean}} props */
export const Card = ({ generation, caption, width, active }) => {
  const { createdAt, deletedAt, files, fromBackend, parentId } = generation;
  const { tiles, height } = mosaic(files);
  const more = files.length - tiles.length;
  // What can be done is made when somebody comes near: most cards only pass by.
  const [near, setNear] = useState(TOUCHED.matches);
  const { favourite, id } = generation;
  const over = near || active || favourite || deletedAt !== null || selecting.value || selected.value.has(id);
  return html`
    <article
      onPointerEnter=${() => setNear(true)}
      class=${`card ${selected.value.has(id) ? "chosen" : ""}`}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => onCardKey(event, generation)}
    >
      <div class="tiles" style=${{ height: `${(height * width) / 100}px` }}>
        ${tiles.map((box, index) => {
          const place = { key: files[index].id, generation, index, box, whole: height, width, active };
          return html`<${Place} ...${place} />`;
        })}
        ${more > 0 ? html`<span class="more-files">+${more}</span>` : null}
        ${over ? html`<${Over} generation=${generation} active=${active} />` : null}
      </div>
      <div class=${`caption ${caption}`}>
        <h3 dir="auto"><${Prompt} generation=${generation} /></h3>
        <p class="facts muted figure">
          <time datetime=${new Date(createdAt).toISOString()} title=${fullMoment(createdAt)}>${moment(createdAt)}</time>
          ${fromBackend ? html`<span class="warm">${say("gallery.backend")}</span>` : null}
          ${parentId ? html`<span>${say("gallery.edit")}</span>` : null}
          ${facts(generation).map((fact) => html`<span>${fact}</span>`)}
        </p>
      </div>
    </article>
  `;
};
