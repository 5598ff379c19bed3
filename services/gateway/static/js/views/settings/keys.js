/** API keys: made, told once, revoked. */
import { useState } from "../../../vendor/preact-hooks.js";
import { at, get, post, remove } from "../../base/api.js";
import { moment, named } from "../../base/format.js";
import { html } from "../../base/html.js";
import { say } from "../../base/words.js";
import { CopyButton } from "../../parts/copy-button.js";
import { Dialog } from "../../parts/dialog.js";
import { useLoaded } from "../../parts/loaded.js";
import { keepFocus, Section, Table } from "../../parts/section.js";
import { Listed } from "../../parts/states.js";
import { attempt, me } from "../../store/session.js";

const DAYS = ["30", "90", "365", ""];
const USUAL = ["jobs:read", "jobs:write", "media:read", "media:write"];

const nameOf = (/** @type {string} */ scope) => named("scope", scope);

/** What most programs need stands first. @param {string[]} scopes */
const inOrder = (scopes) => [
  ...USUAL.filter((scope) => scopes.includes(scope)),
  ...scopes.filter((scope) => !USUAL.includes(scope)),
];

/** @param {{onMade: () => void, onClose: () => void}} props */
const NewKey = ({ onMade, onClose }) => {
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [scopes, setScopes] = useState(USUAL.filter((scope) => me.value.scopes.includes(scope)));
  const [secret, setSecret] = useState("");
  const make = (/** @type {Event} */ event) => {
    event.preventDefault();
    void attempt(async () => {
      const made = await post("/api/keys", { name, scopes, ...(days ? { expires_in_days: Number(days) } : {}) });
      setSecret(made.secret);
      onMade();
    });
  };
  const toggle = (/** @type {string} */ scope) =>
    setScopes(scopes.includes(scope) ? scopes.filter((one) => one !== scope) : [...scopes, scope]);
  if (secret) {
    return html`<${Dialog} key="made" title=${say("keys.made")} onClose=${onClose}>
      <p>${say("secret.once")}</p>
      <p class="secret"><code>${secret}</code></p>
      <${CopyButton} text=${secret} look="chip" />
    <//>`;
  }
  return html`
    <${Dialog} key="new" title=${say("keys.new")} onClose=${onClose}>
      <form class="fields-form" onSubmit=${make}>
        <label>
          ${say("keys.name")}
          <input required maxlength="100" value=${name} onInput=${(/** @type {any} */ event) => setName(event.target.value)} />
        </label>
        <fieldset>
          <legend>${say("keys.scopes")}</legend>
          ${inOrder(me.value.scopes).map(
            (/** @type {string} */ scope) => html`
              <label class="check">
                <input type="checkbox" checked=${scopes.includes(scope)} onChange=${() => toggle(scope)} />
                ${nameOf(scope)}
              </label>
            `,
          )}
        </fieldset>
        <label>
          ${say("keys.lasting")}
          <select onChange=${(/** @type {any} */ event) => setDays(event.target.value)}>
            ${DAYS.map(
              (value) => html`<option value=${value} selected=${value === days}>${value ? say("days", value) : say("share.ever")}</option>`,
            )}
          </select>
        </label>
        <button type="submit" class="go" disabled=${!name.trim() || scopes.length === 0}>${say("keys.make")}</button>
      </form>
    <//>
  `;
};

export const Keys = () => {
  const { data, failed, load } = useLoaded(() => get("/api/keys", { limit: 200 }));
  const [making, setMaking] = useState(false);
  const revoke = async (/** @type {string} */ id) => {
    if (await attempt(() => remove(at`/api/keys/${id}`))) await load().then(() => keepFocus("keys"));
  };
  const keys = data?.keys ?? null;
  return html`
    <${Section}
      id="keys"
      title=${say("keys.title")}
      text=${say("keys.text")}
      action=${html`<button type="button" class="chip" onClick=${() => setMaking(true)}>${say("keys.new")}</button>`}
    >
      <${Listed} data=${keys} failed=${failed} again=${() => void load()} empty=${html`<p class="quiet">${say("keys.none")}</p>`}>
        <${Table}
          label=${say("keys.title")}
          columns=${[say("keys.name"), say("keys.key"), say("keys.scopes"), say("keys.used"), say("keys.until"), ""]}
          rows=${(keys ?? []).map((/** @type {any} */ key) => ({
            key: key.id,
            cells: [
              html`<span dir="auto">${key.name}</span>`,
              html`<code class="whole">${key.prefix}…</code>`,
              html`<span title=${key.scopes.join(" ")}>${inOrder(key.scopes).map(nameOf).join(" · ")}</span>`,
              key.last_used_at ? moment(Date.parse(key.last_used_at)) : say("never"),
              html`<span class="whole">${key.expires_at ? moment(Date.parse(key.expires_at)) : say("share.noEnd")}</span>`,
              html`<button type="button" class="plain bad whole" aria-label=${say("keys.revokeOf", key.name)} onClick=${() => void revoke(key.id)}>
                ${say("keys.revoke")}
              </button>`,
            ],
          }))}
        />
      <//>
      ${making ? html`<${NewKey} onMade=${() => void load()} onClose=${() => setMaking(false)} />` : null}
    <//>
  `;
};
