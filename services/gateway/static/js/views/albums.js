/** Albums: each by its cover; opening one shows its part of the gallery. */
import { useEffect, useState } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";
import { follow } from "../base/places.js";
import { mediaFile } from "../base/shapes.js";
import { say } from "../base/words.js";
import { Menu } from "../parts/buttons.js";
import { Dialog } from "../parts/dialog.js";
import { Icon } from "../parts/icons.js";
import { Placeholder } from "../parts/media.js";
import { Empty, Listed } from "../parts/states.js";
import { albums, albumsFailed, loadAlbums, makeAlbum, removeAlbum, renameAlbum, zipOfAlbum } from "../store/library.js";
import { question } from "../store/opened.js";
import { attempt } from "../store/session.js";

/** @typedef {import("../store/library.js").Album} Album */

/** @param {{title: string, name: string, words: string, onName: (name: string) => Promise<unknown>, onClose: () => void}} props */
const NameDialog = ({ title, name, words, onName, onClose }) => {
  const [text, setText] = useState(name);
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (text.trim()) void attempt(() => onName(text.trim())).then((done) => done && onClose());
  };
  return html`
    <${Dialog} title=${title} onClose=${onClose}>
      <form class="line-form" onSubmit=${send}>
        <input aria-label=${say("album.newName")} maxlength="200" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
        <button type="submit" class="chip" disabled=${!text.trim()}>${words}</button>
      </form>
    <//>
  `;
};

/** @param {{album: Album, onDelete: () => void, onClose: () => void}} props */
const DeleteDialog = ({ album, onDelete, onClose }) => html`
  <${Dialog} title=${say("album.delete")} onClose=${onClose}>
    <p>${say("album.deleteText", album.name)}</p>
    <p class="dialog-actions">
      <button type="button" class="chip" onClick=${onClose}>${say("cancel")}</button>
      <button type="button" class="chip bad" onClick=${onDelete}>${say("album.delete")}</button>
    </p>
  <//>
`;

/** @param {{album: Album, ask: (what: "rename" | "delete", album: Album) => void}} props */
const One = ({ album, ask }) => {
  const cover = album.cover ? mediaFile(album.cover, null) : null;
  const picture = cover?.smaller.at(-1)?.url ?? cover?.poster ?? cover?.url;
  return html`
    <li class="album">
      <a href=${`/gallery?album=${encodeURIComponent(album.id)}`} onClick=${follow}>
        <span class="album-cover">
          ${cover?.placeholder ? html`<${Placeholder} hash=${cover.placeholder} />` : null}
          ${picture ? html`<img src=${picture} alt="" loading="lazy" />` : html`<${Icon} name="album" />`}
        </span>
        <span class="album-name" dir="auto">${album.name}</span>
        <span class="muted figure">${say("album.count", album.count)}</span>
      </a>
      <${Menu}
        look="round glass album-menu"
        label=${say("album.actions", album.name)}
        items=${() => [
          { words: say("share.title"), icon: "share", run: () => (question.value = { what: "share", those: [], albumId: album.id }) },
          ...(album.count ? [{ words: say("media.downloadAll"), icon: "download", href: zipOfAlbum(album.id), download: true }] : []),
          { words: say("album.rename"), icon: "edit", run: () => ask("rename", album) },
          { words: say("album.delete"), icon: "trash", bad: true, run: () => ask("delete", album) },
        ]}
      >
        <${Icon} name="more" />
      <//>
    </li>
  `;
};

export const Albums = () => {
  const [asked, setAsked] = useState(/** @type {{what: "make" | "rename" | "delete", album?: Album} | null} */ (null));
  useEffect(() => void loadAlbums(), []);
  const close = () => setAsked(null);
  const album = asked?.album;
  return html`
    <section class="albums" aria-labelledby="albums-title">
      <div class="section-head">
        <h2 id="albums-title">${say("nav.albums")}</h2>
        <button type="button" class="chip" onClick=${() => setAsked({ what: "make" })}><${Icon} name="plus" />${say("album.new")}</button>
      </div>
      <${Listed}
        data=${albums.value}
        failed=${albumsFailed.value}
        again=${() => void loadAlbums()}
        empty=${html`<${Empty} title=${say("album.none")} text=${say("album.noneText")} />`}
      >
        <ul class="album-grid">
          ${(albums.value ?? []).map((one) => html`<${One} key=${one.id} album=${one} ask=${(/** @type {any} */ what, /** @type {Album} */ which) => setAsked({ what, album: which })} />`)}
        </ul>
      <//>
      ${asked?.what === "make" ? html`<${NameDialog} title=${say("album.new")} name="" words=${say("album.make")} onName=${makeAlbum} onClose=${close} />` : null}
      ${
        asked?.what === "rename" && album
          ? html`<${NameDialog} title=${say("album.rename")} name=${album.name} words=${say("save")} onName=${(/** @type {string} */ name) => renameAlbum(album.id, name)} onClose=${close} />`
          : null
      }
      ${
        asked?.what === "delete" && album
          ? html`<${DeleteDialog} album=${album} onClose=${close} onDelete=${() => void attempt(() => removeAlbum(album.id)).then(close)} />`
          : null
      }
    </section>
  `;
};
