/** What webhook endpoints and channels share: a line that says how it fares, a test, a log, and what to be told of. */
import { useState } from "../../../vendor/preact-hooks.js";
import { patch, post, remove } from "../../base/api.js";
import { html } from "../../base/html.js";
import { knows, say } from "../../base/words.js";
import { Menu } from "../../parts/buttons.js";
import { Icon } from "../../parts/icons.js";
import { keepFocus } from "../../parts/section.js";
import { attempt, tell } from "../../store/session.js";
import { Deliveries } from "./deliveries.js";

/** @typedef {import("../../parts/buttons.js").Item} Item */

export const EVENTS = ["job.completed", "job.failed", "job.cancelled", "job.progress"];

/** Boxes for what to be told of. @param {{events: string[], chosen: string[], onChange: (events: string[]) => void}} props */
export const EventBoxes = ({ events, chosen, onChange }) => html`
  <fieldset>
    <legend>${say("hooks.events")}</legend>
    ${events.map(
      (name) => html`
        <label class="check">
          <input
            type="checkbox"
            checked=${chosen.includes(name)}
            onChange=${() => onChange(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name])}
          />
          ${say(`event.${name}`)}
        </label>
      `,
    )}
  </fieldset>
`;

/** @param {any} one */
function stateInWords({ state, reason, failing_since: failing }) {
  if (state === "disabled") return say(reason === "owner" ? "hooks.paused" : "hooks.disabled");
  return say(failing ? "hooks.failing" : "hooks.enabled");
}

/**
 * @param {{one: any, section: string, base: string, facts: string[], items?: Item[], detailed: boolean, note?: any, changed: () => Promise<void>}} props
 *   `base` is its address in the API; `detailed`: its log tells each attempt, and sends again.
 */
export const Receiver = ({ one, section, base, facts, items = [], detailed, note = null, changed }) => {
  const [open, setOpen] = useState(false);
  const [sent, setSent] = useState(0);
  const { url, description, state, failing_since: failing } = one;
  const on = state === "enabled";
  const act = async (/** @type {() => Promise<unknown>} */ work) => {
    if (await attempt(work)) await changed();
  };
  const test = async () => {
    if (!(await attempt(() => post(`${base}/test`)))) return;
    tell(say("hooks.tested"));
    setOpen(true);
    setSent(sent + 1);
  };
  const all = () => /** @type {Item[]} */ ([
    {
      words: say(on ? "hooks.pause" : "hooks.resume"),
      icon: on ? "stop" : "play",
      run: () => void act(() => patch(base, { state: on ? "disabled" : "enabled" })),
    },
    ...items,
    { words: say("delete"), icon: "trash", bad: true, run: () => void act(() => remove(base)).then(() => keepFocus(section)) },
  ]);
  return html`
    <li class="hook">
      <div class="hook-head">
        <div>
          <p class="hook-url">${url}</p>
          <p class="facts muted">
            <span class=${on && !failing ? "good" : "warm"}>${stateInWords(one)}</span>
            ${description ? html`<span dir="auto">${description}</span>` : null}
            ${facts.map((fact) => html`<span>${fact}</span>`)}
          </p>
        </div>
        <div class="hook-actions">
          ${on ? html`<button type="button" class="chip" onClick=${() => void test()}>${say("hooks.test")}</button>` : null}
          <button type="button" class="chip" aria-expanded=${String(open)} onClick=${() => setOpen(!open)}>${say("hooks.log")}</button>
          <${Menu} label=${say("hooks.actions", url)} items=${all}><${Icon} name="more" /><//>
        </div>
      </div>
      ${open ? note : null}
      ${open ? html`<${Deliveries} key=${sent} base=${`${base}/deliveries`} detailed=${detailed} enabled=${on} />` : null}
    </li>
  `;
};

/** What to be told of, in words. @param {string[] | null} types */
export const typesInWords = (types) =>
  types ? types.map((type) => (knows(`event.${type}`) ? say(`event.${type}`) : type)).join(", ") : say("hooks.all");
