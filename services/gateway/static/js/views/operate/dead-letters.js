/** Records that could not be read: why, what they hold, and reading them once more. */
import { useState } from "../../../vendor/preact-hooks.js";
import { at, get, post, remove } from "../../base/api.js";
import { moment } from "../../base/format.js";
import { html } from "../../base/html.js";
import { say } from "../../base/words.js";
import { Dialog } from "../../parts/dialog.js";
import { useLoaded } from "../../parts/loaded.js";
import { keepFocus, Section, Table } from "../../parts/section.js";
import { Listed, Loading } from "../../parts/states.js";
import { attempt, tell } from "../../store/session.js";

const SHOWN = 50;

/** @param {{id: string, onClose: () => void}} props */
const Letter = ({ id, onClose }) => {
  const { data } = useLoaded(() => get(at`/api/admin/dead-letters/${id}`));
  return html`<${Dialog} title=${say("operate.letter")} onClose=${onClose} look="wide">
    ${data ? html`<pre tabindex="0">${JSON.stringify(data, null, 2)}</pre>` : html`<${Loading} />`}
  <//>`;
};

export const DeadLetters = () => {
  const { data, failed, absent, load } = useLoaded(() => get("/api/admin/dead-letters", { limit: SHOWN }));
  const [open, setOpen] = useState("");
  if (absent) return null;
  const letters = data?.dead_letters ?? null;
  const act = async (/** @type {() => Promise<unknown>} */ work, /** @type {string} */ words) => {
    if (!(await attempt(work))) return;
    tell(say(words));
    await load();
    keepFocus("dead-letters");
  };
  return html`
    <${Section}
      id="dead-letters"
      title=${say("operate.dead")}
      action=${
        letters?.length
          ? html`<button type="button" class="chip" onClick=${() => void act(() => post("/api/admin/dead-letters/replay", {}), "operate.replayed")}>
              ${say("operate.replayAll")}
            </button>`
          : null
      }
    >
      <${Listed} data=${letters} failed=${failed} again=${() => void load()} empty=${html`<p class="quiet">${say("operate.noDead")}</p>`}>
        <${Table}
          label=${say("operate.dead")}
          columns=${[say("operate.topic"), say("operate.consumer"), say("operate.reason"), say("operate.when"), ""]}
          rows=${(letters ?? []).map((/** @type {any} */ one) => ({
            key: one.id,
            cells: [
              html`<button type="button" class="plain accent" onClick=${() => setOpen(one.id)}><code>${one.topic}</code></button>`,
              one.consumer,
              html`<span title=${one.detail}>${one.reason}</span>`,
              moment(Date.parse(one.at)),
              html`<span class="cell-actions">
                <button type="button" class="plain accent" onClick=${() => void act(() => post(at`/api/admin/dead-letters/${one.id}/replay`), "operate.replayed")}>
                  ${say("operate.replay")}
                </button>
                <button type="button" class="plain bad" onClick=${() => void act(() => remove(at`/api/admin/dead-letters/${one.id}`), "operate.removed")}>
                  ${say("delete")}
                </button>
              </span>`,
            ],
          }))}
        />
      <//>
      ${open ? html`<${Letter} id=${open} onClose=${() => setOpen("")} />` : null}
    <//>
  `;
};
