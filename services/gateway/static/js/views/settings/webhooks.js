/** Webhook endpoints: made with a secret told once, tested, paused, removed; each with its log. */
import { useState } from "../../../vendor/preact-hooks.js";
import { at, get, post } from "../../base/api.js";
import { quickly } from "../../base/format.js";
import { html } from "../../base/html.js";
import { say } from "../../base/words.js";
import { CopyButton } from "../../parts/copy-button.js";
import { Dialog } from "../../parts/dialog.js";
import { useLoaded } from "../../parts/loaded.js";
import { Section } from "../../parts/section.js";
import { Listed } from "../../parts/states.js";
import { attempt, tell } from "../../store/session.js";
import { EventBoxes, EVENTS, Receiver, typesInWords } from "./receivers.js";

// How far back missed endings are sent again: longer than an endpoint may fail before it is disabled.
const MISSED_MS = 7 * 86_400_000;

/** @param {{secret: string, onClose: () => void}} props */
const Secret = ({ secret, onClose }) => html`
  <${Dialog} title=${say("hooks.secret")} onClose=${onClose}>
    <p>${say("secret.once")}</p>
    <p class="secret"><code>${secret}</code></p>
    <${CopyButton} text=${secret} look="chip" />
  <//>
`;

/** @param {{onMade: (secret: string) => void, onClose: () => void}} props */
const NewEndpoint = ({ onMade, onClose }) => {
  const [url, setUrl] = useState("");
  const [description, setDescription] = useState("");
  const [events, setEvents] = useState(EVENTS.slice(0, 3));
  const make = (/** @type {Event} */ event) => {
    event.preventDefault();
    const more = description.trim() ? { description: description.trim() } : {};
    void attempt(async () =>
      onMade((await post("/api/webhook-endpoints", { url: url.trim(), event_types: events, ...more })).secret),
    );
  };
  return html`
    <${Dialog} title=${say("hooks.new")} onClose=${onClose}>
      <form class="fields-form" onSubmit=${make}>
        <label>
          ${say("hooks.url")}
          <input type="url" required placeholder="https://" maxlength="2100" value=${url} onInput=${(/** @type {any} */ event) => setUrl(event.target.value)} />
        </label>
        <label>
          ${say("hooks.description")}
          <input maxlength="500" value=${description} onInput=${(/** @type {any} */ event) => setDescription(event.target.value)} />
        </label>
        <${EventBoxes} events=${EVENTS} chosen=${events} onChange=${setEvents} />
        <button type="submit" class="go" disabled=${!url.trim() || events.length === 0}>${say("hooks.make")}</button>
      </form>
    <//>
  `;
};

/** How it fared lately. @param {{base: string}} props */
const Fares = ({ base }) => {
  const { data } = useLoaded(() => get(`${base}/stats`));
  if (!data?.attempts) return null;
  const half = data.p50_ms === null ? "" : quickly(data.p50_ms);
  return html`<p class="muted figure">${say("hooks.fares", data.taken, data.attempts, half)}</p>`;
};

/** @param {{endpoint: any, changed: () => Promise<void>, tellSecret: (secret: string) => void}} props */
const Endpoint = ({ endpoint, changed, tellSecret }) => {
  const base = at`/api/webhook-endpoints/${endpoint.id}`;
  const rotate = async () => {
    if (await attempt(async () => tellSecret((await post(`${base}/rotate`, { overlap_hours: 24 })).secret))) await changed();
  };
  const recover = () =>
    attempt(async () => {
      const since = new Date(Date.now() - MISSED_MS).toISOString();
      tell(say("hooks.recovered", (await post(`${base}/recover`, { since })).recovered));
    });
  return html`<${Receiver}
    one=${endpoint}
    section="webhooks"
    base=${base}
    facts=${[typesInWords(endpoint.event_types)]}
    detailed=${true}
    note=${html`<${Fares} base=${base} />`}
    items=${[
      { words: say("hooks.recover"), icon: "restore", run: () => void recover() },
      { words: say("hooks.rotate"), icon: "settings", run: () => void rotate() },
    ]}
    changed=${changed}
  />`;
};

export const Webhooks = () => {
  const { data, failed, absent, load } = useLoaded(() => get("/api/webhook-endpoints"));
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState("");
  const made = (/** @type {string} */ told) => {
    setMaking(false);
    setSecret(told);
    void load();
  };
  if (absent) return null;
  const endpoints = data?.endpoints ?? null;
  return html`
    <${Section}
      id="webhooks"
      title=${say("hooks.title")}
      text=${say("hooks.text")}
      action=${html`<button type="button" class="chip" onClick=${() => setMaking(true)}>${say("hooks.new")}</button>`}
    >
      <${Listed} data=${endpoints} failed=${failed} again=${() => void load()} empty=${html`<p class="quiet">${say("hooks.none")}</p>`}>
        <ul class="hooks">
          ${(endpoints ?? []).map((/** @type {any} */ one) => html`<${Endpoint} key=${one.id} endpoint=${one} changed=${load} tellSecret=${setSecret} />`)}
        </ul>
      <//>
      ${making ? html`<${NewEndpoint} onMade=${made} onClose=${() => setMaking(false)} />` : null}
      ${secret ? html`<${Secret} secret=${secret} onClose=${() => setSecret("")} />` : null}
    <//>
  `;
};
