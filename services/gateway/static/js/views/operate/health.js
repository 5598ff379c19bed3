/** How far each consumer is behind, and how old the oldest event is that waits to be sent. */
import { get } from "../../base/api.js";
import { duration } from "../../base/format.js";
import { html } from "../../base/html.js";
import { say } from "../../base/words.js";
import { useLoaded } from "../../parts/loaded.js";
import { Section, Table } from "../../parts/section.js";
import { Failed, Loading } from "../../parts/states.js";

const EVERY_MS = 5_000;

/** @param {{value: number | null, words: string, tone?: string}} props */
const Figure = ({ value, words, tone = "" }) => html`
  <div class="figure-card">
    <strong class=${`figure ${tone}`}>${value ?? "?"}</strong><span class="muted">${words}</span>
  </div>
`;

export const Health = () => {
  const { data, failed, absent, load } = useLoaded(() => get("/api/admin/health"), EVERY_MS);
  if (absent) return null;
  if (failed) return html`<${Section} id="health" title=${say("operate.health")}><${Failed} again=${() => void load()} /><//>`;
  if (!data) return html`<${Section} id="health" title=${say("operate.health")}><${Loading} /><//>`;
  const { lags, outboxes, dead_letters: dead, orphans } = data;
  // Kafka may be away; then nobody knows.
  const lag = lags?.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.lag, 0) ?? null;
  const waits = outboxes.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.waiting, 0);
  return html`
    <${Section} id="health" title=${say("operate.health")}>
      <div class="figures">
        <${Figure} value=${lag} words=${say("operate.lag")} tone=${lag === null || lag > 1_000 ? "warm" : ""} />
        <${Figure} value=${waits} words=${say("operate.outbox")} tone=${waits > 100 ? "warm" : ""} />
        <${Figure} value=${dead} words=${say("operate.dead")} tone=${dead ? "warm" : ""} />
        <${Figure} value=${orphans} words=${say("operate.orphans")} tone=${orphans ? "warm" : ""} />
      </div>
      <details>
        <summary>${say("operate.details")}</summary>
        <${Table}
          label=${say("operate.lag")}
          columns=${[say("operate.group"), say("operate.topic"), say("operate.behind")]}
          rows=${(lags ?? []).map((/** @type {any} */ one) => ({ key: `${one.group} ${one.topic}`, cells: [one.group, one.topic, one.lag] }))}
        />
        <${Table}
          label=${say("operate.outbox")}
          columns=${[say("operate.service"), say("operate.waiting"), say("operate.oldest")]}
          rows=${outboxes.map((/** @type {any} */ one) => ({
            key: one.service,
            cells: [one.service, one.waiting, one.oldest_seconds === null ? "–" : duration(one.oldest_seconds * 1_000)],
          }))}
        />
      </details>
    <//>
  `;
};
