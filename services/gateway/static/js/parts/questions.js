/** Questions about some generations: into which album, and to whom a link is given. */
import { useEffect, useState } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { albums, albumsFailed, changeAlbum, loadAlbums, makeAlbum, share } from "../store/library.js";
import { question } from "../store/opened.js";
import { attempt, tell } from "../store/session.js";
import { CopyButton } from "./copy-button.js";
import { Dialog } from "./dialog.js";
import { Listed } from "./states.js";

/** @typedef {import("../types.js").Generation} Generation */

const close = () => (question.value = null);
const HOUR = 3_600;
const LASTING = /** @type {const} */ ({ hour: HOUR, day: 24 * HOUR, week: 168 * HOUR, month: 720 * HOUR, ever: null });

/** @param {{those: Generation[]}} props */
const IntoAlbum = ({ those }) => {
  const [name, setName] = useState("");
  const ids = those.map((one) => one.id);
  useEffect(() => void loadAlbums(), []);
  const keep = async (/** @type {() => Promise<unknown>} */ work, /** @type {string} */ into) => {
    if (!(await attempt(work))) return;
    tell(say("album.added", into));
    close();
  };
  const make = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (name.trim()) void keep(() => makeAlbum(name.trim(), ids), name.trim());
  };
  return html`
    <${Dialog} title=${say("album.add")} onClose=${close}>
      <form class="line-form" onSubmit=${make}>
        <input
          aria-label=${say("album.newName")}
          placeholder=${say("album.newName")}
          maxlength="200"
          value=${name}
          onInput=${(/** @type {any} */ event) => setName(event.target.value)}
        />
        <button type="submit" class="chip" disabled=${!name.trim()}>${say("album.make")}</button>
      </form>
      <${Listed}
        data=${albums.value}
        failed=${albumsFailed.value}
        again=${() => void loadAlbums()}
        empty=${html`<p class="muted">${say("album.none")}</p>`}
      >
        <ul class="pick">
          ${(albums.value ?? []).map(
            (album) => html`
              <li key=${album.id}>
                <button type="button" onClick=${() => void keep(() => changeAlbum(album.id, ids, "add"), album.name)}>
                  <span dir="auto">${album.name}</span><span class="muted figure">${album.count}</span>
                </button>
              </li>
            `,
          )}
        </ul>
      <//>
    <//>
  `;
};

/** @param {{those: Generation[], albumId?: string}} props */
const Share = ({ those, albumId }) => {
  const [lasting, setLasting] = useState(/** @type {keyof typeof LASTING} */ ("week"));
  const [password, setPassword] = useState("");
  const [withPrompt, setWithPrompt] = useState(false);
  const [url, setUrl] = useState("");
  const make = (/** @type {Event} */ event) => {
    event.preventDefault();
    void attempt(async () => {
      const what = albumId ? { album_id: albumId } : { generation_id: those[0].id };
      const how = { expires_in_seconds: LASTING[lasting], password: password || null, show_prompt: withPrompt };
      setUrl(await share({ ...what, ...how }));
    });
  };
  return html`
    <${Dialog} title=${say("share.title")} onClose=${close}>
      ${
        url
          ? html`<p>${say("share.once")}</p>
              <div class="line-form">
                <input
                  readonly
                  aria-label=${say("share.link")}
                  value=${url}
                  ref=${(/** @type {HTMLInputElement | null} */ link) => link?.focus()}
                  onFocus=${(/** @type {any} */ event) => event.target.select()}
                />
                <${CopyButton} text=${url} look="chip" words=${say("media.copy")} done=${say("media.copied")} />
              </div>`
          : html`<form class="fields-form" onSubmit=${make}>
              <label>
                ${say("share.lasting")}
                <select value=${lasting} onChange=${(/** @type {any} */ event) => setLasting(event.target.value)}>
                  ${Object.keys(LASTING).map(
                    (name) => html`<option value=${name} selected=${name === lasting}>${say(`share.${name}`)}</option>`,
                  )}
                </select>
              </label>
              <label>
                ${say("share.password")}
                <input
                  type="password"
                  autocomplete="new-password"
                  maxlength="200"
                  value=${password}
                  onInput=${(/** @type {any} */ event) => setPassword(event.target.value)}
                />
              </label>
              <label class="check">
                <input type="checkbox" checked=${withPrompt} onChange=${() => setWithPrompt(!withPrompt)} />
                ${say("share.withPrompt")}
              </label>
              <button type="submit" class="go">${say("share.make")}</button>
            </form>`
      }
    <//>
  `;
};

export const Question = () => {
  if (question.value === null) return null;
  const { what, those, albumId } = question.value;
  return what === "album" ? html`<${IntoAlbum} those=${those} />` : html`<${Share} those=${those} albumId=${albumId} />`;
};
