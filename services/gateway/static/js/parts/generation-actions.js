/** What can be done with a generation, wherever it is shown. */
import { copy } from "../base/copy.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { changeAlbum, discard, editAgain, startFrom, zipOf } from "../store/library.js";
import { filters } from "../store/gallery.js";
import { opened, question } from "../store/opened.js";
import { attempt, tell } from "../store/session.js";
import { Icon } from "./icons.js";

/** @typedef {import("../types.js").Generation} Generation */
/** @typedef {import("../types.js").MediaFile} MediaFile */

/** Where one file is fetched to be kept, and under which name. @param {MediaFile} file */
export function savingOf(file) {
  const own = new URL(file.url, location.href).origin === location.origin;
  return { href: own ? `${file.url}?download` : file.url, download: file.filename, target: own ? null : "_blank" };
}

/** @param {MediaFile} file */
export async function copyLink(file) {
  const done = await copy(new URL(file.url, location.href).href).then(
    () => true,
    () => false,
  );
  tell(say(done ? "media.copied" : "copyFailed"), { tone: done ? "plain" : "bad" });
}

/** One file is saved as it is, several as one archive. @param {Generation} generation @param {number} tabindex */
export const downloadOf = ({ id, files }, tabindex) => {
  const label = say(files.length > 1 ? "media.downloadAll" : "media.download");
  const saving = files.length > 1 ? { href: zipOf([id]), download: true, target: null } : savingOf(files[0]);
  return html`
    <a class="round glass" rel="noopener" title=${label} aria-label=${label} tabindex=${tabindex} ...${saving}>
      <${Icon} name="download" />
    </a>
  `;
};

/** @param {Generation} generation @returns {import("./buttons.js").Item[]} */
export function actionsOf(generation) {
  const { id, kind, files } = generation;
  const close = () => (opened.value = null);
  const album = filters.value.album;
  return [
    { words: say("media.reuse"), icon: "edit", run: () => (close(), editAgain(generation)) },
    ...(kind === "image" && files[0]
      ? [{ words: say("media.startFrom"), icon: /** @type {const} */ ("picture"), run: () => (close(), startFrom(files[0].url)) }]
      : []),
    { words: say("album.add"), icon: "album", run: () => (question.value = { what: "album", those: [generation] }) },
    ...(album
      ? [{ words: say("album.remove"), icon: /** @type {const} */ ("close"), run: () => void attempt(() => changeAlbum(album, [id], "remove")) }]
      : []),
    { words: say("share.title"), icon: "share", run: () => (question.value = { what: "share", those: [generation] }) },
    ...(files[0] ? [{ words: say("media.copy"), icon: /** @type {const} */ ("link"), run: () => void copyLink(files[0]) }] : []),
    { words: say("delete"), icon: "trash", bad: true, run: () => (close(), void discard([generation])) },
  ];
}
