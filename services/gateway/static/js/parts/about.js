/** What is known of a generation: its words, its facts, where it came from and what came of it. */
import { useEffect, useState } from "../../vendor/preact-hooks.js";
import { missingInWords } from "../base/failures.js";
import { bytes, dimensions, duration, fullMoment, named, playTime } from "../base/format.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { detail } from "../store/gallery.js";
import { favour } from "../store/library.js";
import { openById, opened } from "../store/opened.js";
import { may } from "../store/session.js";
import { Attempts } from "./attempts.js";
import { Menu } from "./buttons.js";
import { CopyButton } from "./copy-button.js";
import { Disclosure } from "./disclosure.js";
import { actionsOf, savingOf } from "./generation-actions.js";
import { Icon } from "./icons.js";

/** @typedef {import("../types.js").Generation} Generation */

/** @param {Generation} generation @param {number} index */
function factsOf(generation, index) {
  const file = generation.files[index];
  const { model, style, quality, createdAt, completedAt, fromBackend } = generation;
  /** @type {[string, string | null | undefined | false][]} */
  const facts = [
    ["fact.when", fullMoment(createdAt)],
    ["fact.model", model && named("model", model)],
    ["fact.size", file && dimensions(`${file.width}x${file.height}`)],
    ["fact.length", file?.seconds ? playTime(file.seconds) : null],
    ["fact.style", style && named("style", style)],
    ["fact.quality", quality && named("quality", quality)],
    ["fact.took", completedAt === null || fromBackend ? null : duration(completedAt - createdAt)],
    ["fact.file", file && [file.format, file.bytes && bytes(file.bytes)].filter(Boolean).join(" · ")],
  ];
  return facts.filter(([, value]) => value);
}

/** @param {{words: string, those: any[]}} props */
const Relatives = ({ words, those }) =>
  those.length
    ? html`<div class="relatives">
        <h3>${words}</h3>
        <ul>
          ${those.map(
            (one) =>
              html`<li key=${one.id}>
                ${
                  one.status === "COMPLETED"
                    ? html`<button type="button" class="plain accent" dir="auto" onClick=${() => void openById(one.id)}>
                        ${one.prompt}
                      </button>`
                    : html`<span class="muted" dir="auto">${one.prompt}</span>`
                }
              </li>`,
          )}
        </ul>
      </div>`
    : null;

/** Where it came from, what came of it, and why some of it is missing: asked for when somebody looks. @param {{id: string}} props */
const Story = ({ id }) => {
  const [found, setFound] = useState(/** @type {any} */ (null));
  useEffect(() => {
    let wanted = true;
    setFound(null);
    detail(id)
      .then((said) => wanted && setFound(said))
      // A picture that was just made has no relatives yet; one that is gone has none to show.
      .catch(() => undefined);
    return () => {
      wanted = false;
    };
  }, [id]);
  if (!found) return null;
  const { partial } = found.metadata;
  const from = [found.parent, found.retried].filter(Boolean);
  return html`
    ${partial ? html`<p class="warm">${missingInWords(partial)}</p>` : null}
    <${Relatives} words=${say("lineage.from")} those=${from} />
    <${Relatives} words=${say("lineage.to")} those=${[...found.children, ...found.retries]} />
  `;
};

/** @param {{generation: Generation, index: number}} props */
export const About = ({ generation, index }) => {
  const { id, prompt, favourite, fromBackend, files } = generation;
  const change = () => {
    void favour([generation], !favourite);
    opened.value = { generation: { ...generation, favourite: !favourite }, index };
  };
  return html`
    <div class="box-about">
      <p class="box-prompt" dir="auto" tabindex="0">${prompt}</p>
      <div class="box-actions">
        <a class="chip" rel="noopener" ...${savingOf(files[index])}><${Icon} name="download" />${say("media.download")}</a>
        <button type="button" class="chip" aria-pressed=${String(favourite)} onClick=${change}>
          <${Icon} name="star" solid=${favourite} />${say("favourite.one")}
        </button>
        <${Menu} look="chip" label=${say("actions")} items=${() => actionsOf(generation)}><${Icon} name="more" /><//>
      </div>
      <dl>
        ${factsOf(generation, index).map(
          ([words, value]) =>
            html`<div>
              <dt>${say(words)}</dt>
              <dd class="figure">${value}</dd>
            </div>`,
        )}
      </dl>
      ${fromBackend ? html`<p class="warm">${say("gallery.backendLong")}</p>` : null}
      <${CopyButton} text=${prompt} words=${say("copyPrompt")} />
      <${Story} id=${id} />
      ${may("jobs:read") && !fromBackend ? html`<${Disclosure} key=${id} words=${say("attempts.title")}><${Attempts} id=${id} /><//>` : null}
    </div>
  `;
};
