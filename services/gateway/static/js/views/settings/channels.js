/** Channels: mail, chat and telephone, told in sentences; their addresses are secrets and never shown again. */
import { useState } from "../../../vendor/preact-hooks.js";
import { ApiError, at, get, post } from "../../base/api.js";
import { html } from "../../base/html.js";
import { language, say } from "../../base/words.js";
import { Fault } from "../../parts/choice.js";
import { Dialog } from "../../parts/dialog.js";
import { useLoaded } from "../../parts/loaded.js";
import { Section } from "../../parts/section.js";
import { Listed } from "../../parts/states.js";
import { problemInWords } from "../../store/session.js";
import { EventBoxes, EVENTS, Receiver, typesInWords } from "./receivers.js";

const ENDINGS = EVENTS.slice(0, 3);
const PAUSES = ["0", "60", "3600", "86400"];

/** @param {{onMade: () => void, onClose: () => void}} props */
const NewChannel = ({ onMade, onClose }) => {
  const [url, setUrl] = useState("");
  const [description, setDescription] = useState("");
  const [events, setEvents] = useState(ENDINGS.slice(0, 2));
  const [pause, setPause] = useState("60");
  const [fault, setFault] = useState("");
  const make = (/** @type {Event} */ event) => {
    event.preventDefault();
    const words = description.trim() ? { description: description.trim() } : {};
    const body = { url: url.trim(), event_types: events, digest_seconds: Number(pause), language: language.value, ...words };
    // Which addresses are taken is the operator's choice: the answer says so, where the address stands.
    post("/api/channels", body).then(onMade, (error) => {
      const detail = error instanceof ApiError ? error.errors.find(({ field }) => field === "url")?.detail : null;
      setFault(detail ?? problemInWords(error));
    });
  };
  return html`
    <${Dialog} title=${say("channels.new")} onClose=${onClose}>
      <form class="fields-form" onSubmit=${make}>
        <label>
          ${say("channels.url")}
          <input
            required
            autocomplete="off"
            spellcheck="false"
            maxlength="2048"
            placeholder="ntfys://…  mailto://…  slack://…"
            aria-invalid=${fault ? "true" : null}
            aria-describedby=${fault ? "fault-channel" : "hint-channel"}
            value=${url}
            onInput=${(/** @type {any} */ event) => (setUrl(event.target.value), setFault(""))}
          />
        </label>
        <${Fault} name="channel" words=${fault} />
        <p class="muted" id="hint-channel">${say("channels.hint")}</p>
        <label>
          ${say("hooks.description")}
          <input maxlength="500" value=${description} onInput=${(/** @type {any} */ event) => setDescription(event.target.value)} />
        </label>
        <${EventBoxes} events=${ENDINGS} chosen=${events} onChange=${setEvents} />
        <label>
          ${say("channels.pace")}
          <select onChange=${(/** @type {any} */ event) => setPause(event.target.value)}>
            ${PAUSES.map((value) => html`<option value=${value} selected=${value === pause}>${say(`pace.${value}`)}</option>`)}
          </select>
        </label>
        <button type="submit" class="go" disabled=${!url.trim() || events.length === 0}>${say("channels.make")}</button>
      </form>
    <//>
  `;
};

/** @param {any} channel */
const factsOf = ({ event_types: types, digest_seconds: pause }) => [
  typesInWords(types),
  PAUSES.includes(String(pause)) ? say(`pace.${pause}`) : say("pace.other", pause),
];

export const Channels = () => {
  const { data, failed, absent, load } = useLoaded(() => get("/api/channels"));
  const [making, setMaking] = useState(false);
  const made = () => {
    setMaking(false);
    void load();
  };
  if (absent) return null;
  const channels = data?.channels ?? null;
  return html`
    <${Section}
      id="channels"
      title=${say("channels.title")}
      text=${say("channels.text")}
      action=${html`<button type="button" class="chip" onClick=${() => setMaking(true)}>${say("channels.new")}</button>`}
    >
      <${Listed} data=${channels} failed=${failed} again=${() => void load()} empty=${html`<p class="quiet">${say("channels.none")}</p>`}>
        <ul class="hooks">
          ${(channels ?? []).map(
            (/** @type {any} */ one) =>
              html`<${Receiver} key=${one.id} one=${one} section="channels" base=${at`/api/channels/${one.id}`} facts=${factsOf(one)} detailed=${false} changed=${load} />`,
          )}
        </ul>
      <//>
      ${making ? html`<${NewChannel} onMade=${made} onClose=${() => setMaking(false)} />` : null}
    <//>
  `;
};
