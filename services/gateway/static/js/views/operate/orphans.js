/** Reports on jobs that nobody asked for: given to somebody, or thrown away. */
import { useState } from "../../../vendor/preact-hooks.js";
import { at, get, post, remove } from "../../base/api.js";
import { moment } from "../../base/format.js";
import { html } from "../../base/html.js";
import { say } from "../../base/words.js";
import { Dialog } from "../../parts/dialog.js";
import { useLoaded } from "../../parts/loaded.js";
import { keepFocus, Section, Table } from "../../parts/section.js";
import { Listed } from "../../parts/states.js";
import { attempt, me, tell } from "../../store/session.js";

/** What was asked for, as far as the report tells. @param {any} orphan */
const promptOf = ({ kind, payload }) => payload?.data?.original_prompt ?? payload?.data?.prompt ?? say(`kind.${kind}`);

/** @param {{orphan: any, done: () => void, onClose: () => void}} props */
const Assign = ({ orphan, done, onClose }) => {
  const [user, setUser] = useState(String(orphan.payload?.user_id ?? ""));
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    void attempt(() => post(at`/api/admin/orphans/${orphan.id}/assign`, { user_id: user.trim() })).then((did) => {
      if (!did) return;
      tell(say("operate.assigned"));
      done();
    });
  };
  return html`
    <${Dialog} title=${say("operate.assign")} onClose=${onClose}>
      <form class="fields-form" onSubmit=${send}>
        <label>
          ${say("operate.userId")}
          <input required value=${user} onInput=${(/** @type {any} */ event) => setUser(event.target.value)} />
        </label>
        <button type="button" class="plain accent" onClick=${() => setUser(me.value.user_id)}>${say("operate.toMe")}</button>
        <button type="submit" class="go" disabled=${!user.trim()}>${say("operate.assign")}</button>
      </form>
    <//>
  `;
};

export const Orphans = () => {
  const { data, failed, absent, load } = useLoaded(() => get("/api/admin/orphans"));
  const [open, setOpen] = useState(/** @type {any} */ (null));
  if (absent) return null;
  const orphans = data?.orphans ?? null;
  const forget = async (/** @type {string} */ id) => {
    if (await attempt(() => remove(at`/api/admin/orphans/${id}`))) await load().then(() => keepFocus("orphans"));
  };
  return html`
    <${Section} id="orphans" title=${say("operate.orphans")} text=${say("operate.orphansText")}>
      <${Listed} data=${orphans} failed=${failed} again=${() => void load()} empty=${html`<p class="quiet">${say("operate.noOrphans")}</p>`}>
        <${Table}
          label=${say("operate.orphans")}
          columns=${[say("operate.job"), say("operate.what"), say("operate.when"), ""]}
          rows=${(orphans ?? []).map((/** @type {any} */ one) => ({
            key: one.id,
            cells: [
              html`<code>${one.job_id}</code>`,
              html`<span dir="auto">${promptOf(one)}</span>`,
              moment(Date.parse(one.received_at)),
              html`<span class="cell-actions">
                <button type="button" class="plain accent" onClick=${() => setOpen(one)}>${say("operate.assign")}</button>
                <button type="button" class="plain bad" onClick=${() => void forget(one.id)}>${say("delete")}</button>
              </span>`,
            ],
          }))}
        />
      <//>
      ${
        open
          ? html`<${Assign}
              orphan=${open}
              done=${() => {
                setOpen(null);
                void load().then(() => keepFocus("orphans"));
              }}
              onClose=${() => setOpen(null)}
            />`
          : null
      }
    <//>
  `;
};
