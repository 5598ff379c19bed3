/** The queue of each provider, with what is paused: everything, a provider, a model or a kind. */
import { at, get, put, remove } from "../../base/api.js";
import { duration, moment, named } from "../../base/format.js";
import { html } from "../../base/html.js";
import { KINDS } from "../../base/kinds.js";
import { say } from "../../base/words.js";
import { useLoaded } from "../../parts/loaded.js";
import { Section, Table } from "../../parts/section.js";
import { Listed } from "../../parts/states.js";
import { models } from "../../store/models.js";
import { attempt } from "../../store/session.js";

const EVERY_MS = 5_000;

/** @typedef {{scope: string, name: string, reason: string | null, paused_at: string}} Pause */

/** @param {Pause[]} pauses @param {string} scope @param {string} name */
const pauseOf = (pauses, scope, name) =>
  pauses.find((pause) => pause.scope === scope && (scope === "all" || pause.name === name)) ?? null;

/** @param {{pauses: Pause[], scope: string, name: string, words: string, changed: () => Promise<void>}} props */
const Switch = ({ pauses, scope, name, words, changed }) => {
  const paused = pauseOf(pauses, scope, name) !== null;
  const path = at`/api/admin/pauses/${scope}/${name}`;
  const press = async () => {
    if (await attempt(() => (paused ? remove(path) : put(path, {})))) await changed();
  };
  return html`<button type="button" class="chip" aria-pressed=${String(paused)} aria-label=${say(paused ? "operate.resumeOf" : "operate.pauseOf", words)} onClick=${() => void press()}>
    ${say(paused ? "operate.resume" : "operate.pause")}
  </button>`;
};

/** @param {Pause} pause */
const nameOf = ({ scope, name }) =>
  ({ all: say("operate.everything"), kind: say(`kinds.${name}`), model: named("model", name) })[scope] ?? named("provider", name);

/** @param {{pauses: Pause[], changed: () => Promise<void>}} props */
const Others = ({ pauses, changed }) => {
  const one = (/** @type {string} */ scope, /** @type {string} */ name, /** @type {string} */ words) => html`
    <li><span>${words}</span><${Switch} pauses=${pauses} scope=${scope} name=${name} words=${words} changed=${changed} /></li>
  `;
  return html`<ul class="switches">
    ${one("all", "all", say("operate.everything"))}
    ${KINDS.map((kind) => one("kind", kind, say(`kinds.${kind}`)))}
    ${models.value.map(({ id }) => one("model", id, named("model", id)))}
  </ul>`;
};

export const Queues = () => {
  const queues = useLoaded(() => get("/api/admin/queues"), EVERY_MS);
  const paused = useLoaded(() => get("/api/admin/pauses"), EVERY_MS);
  if (queues.absent) return null;
  const pauses = paused.data?.pauses ?? [];
  const changed = async () => void (await Promise.all([queues.load(), paused.load()]));
  const rows = queues.data?.queues ?? null;
  const oldest = (/** @type {any} */ queue) => (queue.oldest_seconds === null ? "–" : duration(queue.oldest_seconds * 1_000));
  return html`
    <${Section} id="queues" title=${say("operate.queues")}>
      ${
        pauses.length
          ? html`<ul class="paused">
              ${pauses.map(
                (/** @type {Pause} */ pause) =>
                  html`<li class="warm">
                    ${say("operate.pausedSince", nameOf(pause), moment(Date.parse(pause.paused_at)))} ${pause.reason ?? ""}
                  </li>`,
              )}
            </ul>`
          : null
      }
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
              html`<span class=${queue.paused || queue.breaker !== "closed" ? "warm" : "good"}>
                ${say(queue.paused ? "operate.paused" : `breaker.${queue.breaker}`)}
              </span>`,
              html`<${Switch} pauses=${pauses} scope="provider" name=${queue.provider} words=${named("provider", queue.provider)} changed=${changed} />`,
            ],
          }))}
        />
      <//>
      ${paused.absent ? null : html`<details><summary>${say("operate.pauseMore")}</summary><${Others} pauses=${pauses} changed=${changed} /></details>`}
    <//>
  `;
};
