/** The queue of each provider and how it fares; what is paused, and what bounds it. */
import { get } from "../../base/api.js";
import { duration, named } from "../../base/format.js";
import { html } from "../../base/html.js";
import { say } from "../../base/words.js";
import { useLoaded } from "../../parts/loaded.js";
import { Section, Table } from "../../parts/section.js";
import { Listed } from "../../parts/states.js";
import { loadModels, models } from "../../store/models.js";
import { Others, Paused, Switch } from "./pausing.js";

const EVERY_MS = 5_000;

/** How it fares; where only some of its models fail, which. @param {any} queue */
function stateInWords({ provider, paused, breaker }) {
  if (paused) return html`<span class="warm">${say("operate.paused")}</span>`;
  if (breaker === "closed") return html`<span class="good">${say("breaker.closed")}</span>`;
  const its = models.value.filter((model) => model.provider === provider);
  const failing = its.filter((model) => model.unavailable_reason === "failing");
  const names = failing.length < its.length ? failing.map(({ id }) => named("model", id)).join(", ") : "";
  return html`<span class="warm">${say(`breaker.${breaker}`)}${names ? ` (${names})` : ""}</span>`;
}

/** Caps and weights of the settings, where there are any. @param {{words: string, those: Record<string, number>}} props */
const Bounds = ({ words, those }) =>
  Object.keys(those).length
    ? html`<p class="facts muted figure">
        <span>${words}</span>
        ${Object.entries(those).map(([name, value]) => html`<span><code>${name}</code> ${value}</span>`)}
      </p>`
    : null;

export const Queues = () => {
  const queues = useLoaded(() => Promise.all([get("/api/admin/queues"), loadModels()]).then(([said]) => said), EVERY_MS);
  const paused = useLoaded(() => get("/api/admin/pauses"), EVERY_MS);
  if (queues.absent) return null;
  const pauses = paused.data?.pauses ?? [];
  const changed = async () => void (await Promise.all([queues.load(), paused.load()]));
  // What may be resumed is known with both answers.
  const rows = paused.data || paused.absent || paused.failed ? (queues.data?.queues ?? null) : null;
  const oldest = (/** @type {any} */ queue) => (queue.oldest_seconds === null ? "–" : duration(queue.oldest_seconds * 1_000));
  const subject = (/** @type {string} */ name) => ({ scope: "provider", name, words: named("provider", name) });
  return html`
    <${Section} id="queues" title=${say("operate.queues")}>
      <${Paused} pauses=${pauses} />
      <${Listed} data=${rows} failed=${queues.failed} again=${() => void changed()} empty=${html`<p class="quiet">${say("operate.noQueues")}</p>`}>
        <${Table}
          label=${say("operate.queues")}
          columns=${[say("operate.provider"), say("operate.waiting"), say("operate.running"), say("operate.remote"), say("operate.oldest"), say("operate.state"), ""]}
          rows=${(rows ?? []).map((/** @type {any} */ queue) => ({
            key: queue.provider,
            cells: [
              named("provider", queue.provider),
              queue.queued,
              queue.slots ? `${queue.running} / ${queue.slots}` : queue.running,
              queue.waiting,
              oldest(queue),
              stateInWords(queue),
              html`<${Switch} pauses=${pauses} subject=${subject(queue.provider)} changed=${changed} />`,
            ],
          }))}
        />
      <//>
      <${Bounds} words=${say("operate.caps")} those=${queues.data?.caps ?? {}} />
      <${Bounds} words=${say("operate.weights")} those=${queues.data?.weights ?? {}} />
      ${paused.data === null ? null : html`<details><summary>${say("operate.pauseMore")}</summary><${Others} pauses=${pauses} changed=${changed} /></details>`}
    <//>
  `;
};
