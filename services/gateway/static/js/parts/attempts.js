/** Every attempt at a job: who tried, how it ended, and whether it cost anything. */
import { at, get } from "../base/api.js";
import { failureInWords, reasonsInWords } from "../base/failures.js";
import { moment, named, quickly } from "../base/format.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { useLoaded } from "./loaded.js";
import { Listed } from "./states.js";

const TONES = /** @type {Record<string, string>} */ ({ completed: "good", failed: "bad" });

/** @param {{one: any, known: string}} props */
const Attempt = ({ one, known }) => {
  const { provider, model, outcome, failure, charged, submits, operation_id: operation } = one;
  const [began, ended] = [Date.parse(one.started_at), one.ended_at ? Date.parse(one.ended_at) : null];
  const said = failure ? failureInWords(failure) : outcome && charged ? say(`charged.${charged}`) : null;
  const reasons = reasonsInWords(failure?.filtered);
  return html`
    <li>
      <p class="facts muted figure">
        <strong>${named("model", model ?? provider)}</strong>
        <span class=${TONES[outcome] ?? "warm"}>${say(`outcome.${outcome ?? "running"}`)}</span>
        <span>${moment(began)}</span>
        ${ended === null ? null : html`<span>${quickly(ended - began)}</span>`}
        ${submits > 1 ? html`<span>${say("attempts.sent", submits)}</span>` : null}
      </p>
      ${said && said !== known ? html`<p class="muted">${said}</p>` : null}
      ${reasons && said !== known ? html`<p class="muted" dir="auto">${reasons}</p>` : null}
      ${failure?.provider_words ? html`<p class="muted provider-words" dir="auto">${say("quoted", failure.provider_words)}</p>` : null}
      ${operation ? html`<p class="muted">${say("attempts.operation", named("provider", provider))} <code>${operation}</code></p>` : null}
    </li>
  `;
};

/** @param {{id: string, known?: string}} props  known: what is said beside it already, and not said again */
export const Attempts = ({ id, known = "" }) => {
  const { data, failed, absent, load } = useLoaded(() => get(at`/api/jobs/${id}/attempts`));
  // What an application wrote into our tables was never a job of ours.
  const attempts = data?.attempts ?? (absent ? [] : null);
  return html`
    <${Listed}
      data=${attempts}
      failed=${failed}
      again=${() => void load()}
      empty=${html`<p class="muted">${say("attempts.none")}</p>`}
    >
      <ol class="attempts" aria-label=${say("attempts.title")}>
        ${(attempts ?? []).map((/** @type {any} */ one) => html`<${Attempt} key=${one.attempt} one=${one} known=${known} />`)}
      </ol>
    <//>
  `;
};
