/** Pausing and resuming: everything, a kind, a provider or a model; whoever pauses says why. */
import { useState } from "../../../vendor/preact-hooks.js";
import { at, put, remove } from "../../base/api.js";
import { html } from "../../base/html.js";
import { KINDS } from "../../base/kinds.js";
import { moment, named } from "../../base/format.js";
import { say } from "../../base/words.js";
import { Dialog } from "../../parts/dialog.js";
import { models } from "../../store/models.js";
import { attempt } from "../../store/session.js";

/** @typedef {{scope: string, name: string, reason: string | null, paused_at: string}} Pause */
/** @typedef {{scope: string, name: string, words: string}} Subject */

/** @param {Pause[]} pauses @param {Subject} subject */
const isPaused = (pauses, { scope, name }) =>
  pauses.some((pause) => pause.scope === scope && (scope === "all" || pause.name === name));

/** @param {{subject: Subject, done: () => void, onClose: () => void}} props */
const Why = ({ subject, done, onClose }) => {
  const [reason, setReason] = useState("");
  const { scope, name, words } = subject;
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    const body = reason.trim() ? { reason: reason.trim() } : {};
    void attempt(() => put(at`/api/admin/pauses/${scope}/${name}`, body)).then((did) => did && done());
  };
  return html`
    <${Dialog} title=${say("operate.pauseOf", words)} onClose=${onClose}>
      <form class="fields-form" onSubmit=${send}>
        <p>${say("operate.pauseText")}</p>
        <label>
          ${say("operate.pauseReason")}
          <input maxlength="500" value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.target.value)} />
        </label>
        <button type="submit" class="go">${say("operate.pause")}</button>
      </form>
    <//>
  `;
};

/** @param {{pauses: Pause[], subject: Subject, changed: () => Promise<void>}} props */
export const Switch = ({ pauses, subject, changed }) => {
  const [asking, setAsking] = useState(false);
  const { scope, name, words } = subject;
  const paused = isPaused(pauses, subject);
  const resume = async () => {
    if (await attempt(() => remove(at`/api/admin/pauses/${scope}/${name}`))) await changed();
  };
  return html`
    <button
      type="button"
      class="chip"
      aria-label=${say(paused ? "operate.resumeOf" : "operate.pauseOf", words)}
      onClick=${() => (paused ? void resume() : setAsking(true))}
    >
      ${say(paused ? "operate.resume" : "operate.pause")}
    </button>
    ${
      asking
        ? html`<${Why}
            subject=${subject}
            onClose=${() => setAsking(false)}
            done=${() => {
              setAsking(false);
              void changed();
            }}
          />`
        : null
    }
  `;
};

/** @param {Pause} pause */
function nameOf({ scope, name }) {
  if (scope === "all") return say("operate.everything");
  return named(scope === "kind" ? "kinds" : scope, name);
}

const withinSentence = (/** @type {string} */ words) => words.charAt(0).toLowerCase() + words.slice(1);

/** What stands still, since when and why. @param {{pauses: Pause[]}} props */
export const Paused = ({ pauses }) =>
  pauses.length
    ? html`<ul class="paused">
        ${pauses.map(
          (pause) => html`
            <li>
              <span class="warm">${say("operate.pausedSince", nameOf(pause), withinSentence(moment(Date.parse(pause.paused_at))))}</span>
              ${pause.reason ? html`<span dir="auto">${pause.reason}</span>` : null}
            </li>
          `,
        )}
      </ul>`
    : null;

/** Everything that may be paused beside providers; each model with how it fares. @param {{pauses: Pause[], changed: () => Promise<void>}} props */
export const Others = ({ pauses, changed }) => {
  const one = (/** @type {Subject} */ subject, /** @type {string | null} */ trouble = null) => html`
    <li>
      <span>${subject.words}${trouble ? html` <span class="warm">${say(`unavailable.${trouble}`)}</span>` : null}</span>
      <${Switch} pauses=${pauses} subject=${subject} changed=${changed} />
    </li>
  `;
  return html`<ul class="switches">
    ${one({ scope: "all", name: "all", words: say("operate.everything") })}
    ${KINDS.map((kind) => one({ scope: "kind", name: kind, words: named("kinds", kind) }))}
    ${models.value.map(({ id, unavailable_reason: trouble }) => one({ scope: "model", name: id, words: named("model", id) }, trouble ?? null))}
  </ul>`;
};
