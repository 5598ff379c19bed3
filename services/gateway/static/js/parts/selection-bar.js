/** What can be done with all that is chosen, at the foot of the screen. */
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { filters, items } from "../store/gallery.js";
import { bringBack, changeAlbum, discard, favour, zipOf } from "../store/library.js";
import { question } from "../store/opened.js";
import { chooseAll, chooseNone, chosen, selecting } from "../store/selection.js";
import { attempt } from "../store/session.js";
import { IconButton } from "./buttons.js";
import { Icon } from "./icons.js";

const MOST_IN_ARCHIVE = 500;

export const SelectionBar = () => {
  if (!selecting.value) return null;
  const those = chosen.value;
  const ids = those.map((one) => one.id);
  const { deleted, album } = filters.value;
  const some = those.length > 0;
  const all = some && those.every((one) => one.favourite);
  const act = (/** @type {() => unknown} */ work) => () => {
    void work();
    chooseNone();
  };
  return html`
    <div class="selection" role="toolbar" aria-label=${say("select.title")}>
      <span class="figure" aria-live="polite">${say("select.count", those.length)}</span>
      ${
        those.length < items.value.length
          ? html`<button type="button" class="plain accent" onClick=${chooseAll}>${say("select.all")}</button>`
          : null
      }
      <span class="selection-actions">
        ${
          some && !deleted
            ? html`
                <${IconButton}
                  icon="star"
                  solid=${all}
                  label=${say(all ? "favourite.remove" : "favourite.add")}
                  onClick=${() => void favour(those, !all)}
                />
                <${IconButton}
                  icon="album"
                  label=${say("album.add")}
                  onClick=${() => (question.value = { what: "album", those })}
                />
                ${
                  album
                    ? html`<${IconButton}
                        icon="left"
                        label=${say("album.remove")}
                        onClick=${act(() => attempt(() => changeAlbum(album, ids, "remove")))}
                      />`
                    : null
                }
                ${
                  ids.length <= MOST_IN_ARCHIVE
                    ? html`<a
                        class="round"
                        href=${zipOf(ids)}
                        download
                        aria-label=${say("media.downloadAll")}
                        title=${say("media.downloadAll")}
                        ><${Icon} name="download"
                      /></a>`
                    : null
                }
                <${IconButton} icon="trash" label=${say("delete")} onClick=${act(() => discard(those))} />
              `
            : null
        }
        ${some && deleted ? html`<${IconButton} icon="restore" label=${say("restore")} onClick=${act(() => bringBack(those))} />` : null}
        <${IconButton} icon="close" label=${say("select.none")} onClick=${chooseNone} />
      </span>
    </div>
  `;
};
