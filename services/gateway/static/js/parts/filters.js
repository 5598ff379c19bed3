/** Finding in the gallery: words, a few chips, and the rest of the filters. */
import { useEffect, useRef, useState } from "../../vendor/preact-hooks.js";
import { named } from "../base/format.js";
import { html } from "../base/html.js";
import { knows, say } from "../base/words.js";
import { filters, found } from "../store/gallery.js";
import { albums } from "../store/library.js";
import { models } from "../store/models.js";
import { chooseNone, selecting } from "../store/selection.js";
import { Choice } from "./choice.js";
import { Icon } from "./icons.js";

/** @typedef {import("../store/gallery.js").Filters} Filters */

const TYPING_MS = 220;

/** @param {{narrow: (changes: Partial<Filters>) => void}} props */
const Search = ({ narrow }) => {
  const [text, setText] = useState(filters.value.q);
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  useEffect(() => setText(filters.value.q), [filters.value.q]);
  const send = (/** @type {string} */ words) => {
    clearTimeout(timer.current);
    // The search refuses what holds no letter and no digit.
    const q = /[\p{L}\p{N}]/u.test(words) ? words.trim().slice(0, 500) : "";
    if (q !== filters.value.q) narrow({ q });
  };
  const type = (/** @type {any} */ event) => {
    setText(event.target.value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => send(event.target.value), TYPING_MS);
  };
  return html`
    <form
      class="search"
      role="search"
      onSubmit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        send(text);
      }}
    >
      <${Icon} name="search" />
      <input
        type="search"
        aria-label=${say("search.label")}
        placeholder=${say("search.label")}
        maxlength="500"
        value=${text}
        onInput=${type}
      />
    </form>
  `;
};

/** @param {{on: boolean, words: string, press: () => void, icon?: import("./icons.js").IconName}} props */
const Chip = ({ on, words, press, icon }) => html`
  <button type="button" class="chip" aria-pressed=${String(on)} onClick=${press}>
    ${icon ? html`<${Icon} name=${icon} solid=${on && icon === "star"} />` : null}${words}
  </button>
`;

/** @param {string} prefix @param {string[]} values */
const options = (prefix, values) =>
  ["", ...values].map((value) => ({
    value,
    words: value && !knows(`${prefix}.${value}`) ? value : say(`${prefix}.${value}`),
  }));

/** @param {{narrow: (changes: Partial<Filters>) => void}} props */
export const FilterBar = ({ narrow }) => {
  const { kind, favourite, since, model, source, sort, deleted, q } = filters.value;
  const [more, setMore] = useState(Boolean(model || source || sort || deleted));
  const one = (/** @type {string} */ name, /** @type {string} */ value, /** @type {any} */ offered) => html`
    <${Choice}
      name=${`filter-${name}`}
      label=${say(`filter.${name}`)}
      value=${value}
      options=${offered}
      onChange=${(/** @type {string} */ chosen) => narrow({ [name]: chosen })}
    />
  `;
  const known = models.value.map(({ id }) => ({ value: id, words: named("model", id) }));
  return html`
    <div class="finding">
      <${Search} narrow=${narrow} />
      <div class="filters" role="group" aria-label=${say("gallery.filter")}>
        <${Chip} on=${kind === ""} words=${say("kinds.all")} press=${() => narrow({ kind: "" })} />
        <${Chip} on=${kind === "image"} words=${say("kinds.image")} press=${() => narrow({ kind: "image" })} />
        <${Chip} on=${kind === "video"} words=${say("kinds.video")} press=${() => narrow({ kind: "video" })} />
        <${Chip} on=${favourite} icon="star" words=${say("favourites")} press=${() => narrow({ favourite: !favourite })} />
        <${Chip} on=${more} icon="settings" words=${say("filter.more")} press=${() => setMore(!more)} />
        <${Chip}
          on=${selecting.value}
          icon="check"
          words=${say("select.title")}
          press=${() => (selecting.value ? chooseNone() : (selecting.value = true))}
        />
      </div>
      ${
        more
          ? html`<div class="filters">
              ${one("since", since, options("since", ["day", "week", "month"]))}
              ${one("model", model, [{ value: "", words: say("any") }, ...known])}
              ${one("source", source, options("source", ["api", "application", "backend-direct"]))}
              ${q || deleted ? null : one("sort", sort, options("sort", ["oldest"]))}
              <${Chip} on=${deleted} icon="trash" words=${say("trash")} press=${() => narrow({ deleted: !deleted, sort: "" })} />
            </div>`
          : null
      }
    </div>
  `;
};

/** What is shown when it is not simply everything. @param {{narrow: (changes: Partial<Filters>) => void}} props */
export const Shown = ({ narrow }) => {
  const { album, deleted } = filters.value;
  const name = album ? (albums.value?.find((one) => one.id === album)?.name ?? say("album.one")) : null;
  return html`
    ${name !== null ? html`<p class="shown"><strong dir="auto">${name}</strong><button type="button" class="plain accent" onClick=${() => narrow({ album: "" })}>${say("album.leave")}</button></p>` : null}
    ${
      deleted
        ? html`<p class="shown"><strong>${say("trash")}</strong><button type="button" class="plain accent" onClick=${() => narrow({ deleted: false })}>${say("album.leave")}</button></p>
            <p class="muted">${say("trash.text")}</p>`
        : null
    }
    ${
      found.value
        ? html`<p class=${found.value.total ? "muted" : "unseen"} role="status">
            ${say(found.value.allCounted ? "search.found" : "search.foundMany", found.value.total)}
            ${found.value.corrected ? ` ${say("search.corrected")}` : ""}
          </p>`
        : null
    }
  `;
};
