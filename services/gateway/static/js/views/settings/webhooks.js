/** Webhook endpoints: made with a secret told once, tested, paused, removed; each with its log. */
import { useState } from "../../../vendor/preact-hooks.js";
import { at, get, patch, post, remove } from "../../base/api.js";
import { html } from "../../base/html.js";
import { say } from "../../base/words.js";
import { Menu } from "../../parts/buttons.js";
import { CopyButton } from "../../parts/copy-button.js";
import { Dialog } from "../../parts/dialog.js";
import { Icon } from "../../parts/icons.js";
import { useLoaded } from "../../parts/loaded.js";
import { Section } from "../../parts/section.js";
import { Listed } from "../../parts/states.js";
import { attempt, tell } from "../../store/session.js";
import { Deliveries } from "./deliveries.js";

const EVENTS = ["job.completed", "job.failed", "job.cancelled", "job.progress"];

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
  const toggle = (/** @type {string} */ name) =>
    setEvents(events.includes(name) ? events.filter((one) => one !== name) : [...events, name]);
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
        <fieldset>
          <legend>${say("hooks.events")}</legend>
          ${EVENTS.map(
            (name) => html`
              <label class="check">
                <input type="checkbox" checked=${events.includes(name)} onChange=${() => toggle(name)} />
                ${say(`event.${name}`)} <code>${name}</code>
              </label>
            `,
          )}
        </fieldset>
        <button type="submit" class="go" disabled=${!url.trim() || events.length === 0}>${say("hooks.make")}</button>
      </form>
    <//>
  `;
};

/** @param {any} endpoint */
function stateInWords({ state, reason, failing_since: failing }) {
  if (state === "disabled") return say(reason === "owner" ? "hooks.paused" : "hooks.disabled");
  return say(failing ? "hooks.failing" : "hooks.enabled");
}

/** @param {{endpoint: any, changed: () => Promise<void>, tellSecret: (secret: string) => void}} props */
const Endpoint = ({ endpoint, changed, tellSecret }) => {
  const [open, setOpen] = useState(false);
  const [sent, setSent] = useState(0);
  const { id, url, description, state, failing_since: failing } = endpoint;
  const act = async (/** @type {() => Promise<unknown>} */ work) => {
    if (await attempt(work)) await changed();
  };
  const test = async () => {
    if (!(await attempt(() => post(at`/api/webhook-endpoints/${id}/test`)))) return;
    tell(say("hooks.tested"));
    setOpen(true);
    setSent(sent + 1);
  };
  const on = state === "enabled";
  const items = () => /** @type {import("../../parts/buttons.js").Item[]} */ ([
    {
      words: say(on ? "hooks.pause" : "hooks.resume"),
      run: () => void act(() => patch(at`/api/webhook-endpoints/${id}`, { state: on ? "disabled" : "enabled" })),
    },
    {
      words: say("hooks.rotate"),
      run: () =>
        void act(async () => tellSecret((await post(at`/api/webhook-endpoints/${id}/rotate`, { overlap_hours: 24 })).secret)),
    },
    { words: say("delete"), icon: "trash", bad: true, run: () => void act(() => remove(at`/api/webhook-endpoints/${id}`)) },
  ]);
  return html`
    <li class="hook">
      <div class="hook-head">
        <div>
          <p class="hook-url">${url}</p>
          <p class="facts muted">
            <span class=${on && !failing ? "good" : "warm"}>${stateInWords(endpoint)}</span>
            ${description ? html`<span dir="auto">${description}</span>` : null}
            <span>${(endpoint.event_types ?? [say("hooks.all")]).join(", ")}</span>
          </p>
        </div>
        <div class="hook-actions">
          ${on ? html`<button type="button" class="chip" onClick=${() => void test()}>${say("hooks.test")}</button>` : null}
          <button type="button" class="chip" aria-expanded=${String(open)} onClick=${() => setOpen(!open)}>${say("hooks.log")}</button>
          <${Menu} label=${say("hooks.actions", url)} items=${items}><${Icon} name="more" /><//>
        </div>
      </div>
      ${open ? html`<${Deliveries} key=${sent} endpoint=${id} enabled=${on} />` : null}
    </li>
  `;
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
