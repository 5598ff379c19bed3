/** What was sent to a webhook endpoint or a channel, what came of it, and sending it again. */
import { useState } from "../../../vendor/preact-hooks.js";
import { get, post } from "../../base/api.js";
import { moment, quickly } from "../../base/format.js";
import { html } from "../../base/html.js";
import { say } from "../../base/words.js";
import { useLoaded } from "../../parts/loaded.js";
import { Failed, Listed, Loading } from "../../parts/states.js";
import { attempt, tell } from "../../store/session.js";

const AGAIN_MS = 3_000;
const SHOWN = 20;
const TONES = /** @type {Record<string, string>} */ ({ delivered: "good", exhausted: "bad", pending: "warm" });

/** @param {{path: string}} props */
const Attempts = ({ path }) => {
  const { data, failed, load } = useLoaded(() => get(path));
  if (failed) return html`<${Failed} again=${() => void load()} />`;
  if (!data) return html`<${Loading} lines=${1} />`;
  return html`
    ${
      data.log.length
        ? html`<ol class="tries">
            ${data.log.map(
              (/** @type {any} */ one) => html`
                <li key=${one.attempt}>
                  <span class="figure">${moment(Date.parse(one.at))}</span>
                  <span class="figure">${one.status_code ?? say("deliveries.noAnswer")}</span>
                  ${one.duration_ms === null ? null : html`<span class="figure">${quickly(one.duration_ms)}</span>`}
                  ${one.error ? html`<span class="bad" dir="auto">${one.error}</span>` : null}
                </li>
              `,
            )}
          </ol>`
        : html`<p class="muted">${say("deliveries.noAttempts")}</p>`
    }
    <pre tabindex="0" aria-label=${say("deliveries.payload")}>${JSON.stringify(data.payload, null, 2)}</pre>
  `;
};

/** @param {{delivery: any, path: string, detailed: boolean, enabled: boolean, changed: () => Promise<void>}} props */
const One = ({ delivery, path, detailed, enabled, changed }) => {
  const [open, setOpen] = useState(false);
  const { type, state, created_at: at_, last_status_code: code, last_error: error, attempts } = delivery;
  const resend = async () => {
    if (!(await attempt(() => post(`${path}/resend`)))) return;
    tell(say("deliveries.resent"));
    await changed();
  };
  const name = html`<code>${type}</code>`;
  return html`
    <li>
      <div class="delivery">
        ${
          detailed
            ? html`<button type="button" class="plain" aria-expanded=${String(open)} onClick=${() => setOpen(!open)}>${name}</button>`
            : name
        }
        <span class=${TONES[state] ?? "muted"}>${say(`delivery.${state}`)}</span>
        <span class="muted figure">${[detailed && code, say("deliveries.attempts", attempts)].filter(Boolean).join(" · ")}</span>
        ${!detailed && error ? html`<span class="muted" dir="auto">${error}</span>` : null}
        <time class="muted figure" datetime=${at_}>${moment(Date.parse(at_))}</time>
        ${
          detailed && enabled && state !== "pending"
            ? html`<button type="button" class="plain accent" onClick=${() => void resend()}>${say("deliveries.resend")}</button>`
            : null
        }
      </div>
      ${open ? html`<${Attempts} path=${path} />` : null}
    </li>
  `;
};

/** @param {{base: string, detailed: boolean, enabled: boolean}} props */
export const Deliveries = ({ base, detailed, enabled }) => {
  const { data, failed, load } = useLoaded(() => get(base, { limit: SHOWN }), AGAIN_MS);
  const deliveries = data?.deliveries ?? null;
  return html`
    <${Listed} data=${deliveries} failed=${failed} again=${() => void load()} empty=${html`<p class="quiet">${say("deliveries.none")}</p>`}>
      <ul class="deliveries">
        ${(deliveries ?? []).map(
          (/** @type {any} */ one) =>
            html`<${One} key=${one.id} delivery=${one} path=${`${base}/${encodeURIComponent(one.id)}`} detailed=${detailed} enabled=${enabled} changed=${load} />`,
        )}
      </ul>
    <//>
  `;
};
