/** Links that were given away: which still work, and ending one. */
import { at, get, remove } from "../../base/api.js";
import { moment } from "../../base/format.js";
import { html } from "../../base/html.js";
import { now } from "../../base/clock.js";
import { say } from "../../base/words.js";
import { useLoaded } from "../../parts/loaded.js";
import { keepFocus, Section, Table } from "../../parts/section.js";
import { Listed } from "../../parts/states.js";
import { attempt } from "../../store/session.js";

const works = (/** @type {any} */ share) =>
  share.revokedAt === null && (share.expiresAt === null || Date.parse(share.expiresAt) > now());

export const Shares = () => {
  const { data, failed, load } = useLoaded(() => get("/api/shares", { limit: 200 }));
  const revoke = async (/** @type {string} */ id) => {
    if (await attempt(() => remove(at`/api/shares/${id}`))) await load().then(() => keepFocus("shares"));
  };
  const shares = data ? data.shares.filter(works) : null;
  return html`
    <${Section} id="shares" title=${say("shares.title")} text=${say("shares.text")}>
      <${Listed} data=${shares} failed=${failed} again=${() => void load()} empty=${html`<p class="quiet">${say("shares.none")}</p>`}>
        <${Table}
          label=${say("shares.title")}
          columns=${[say("shares.link"), say("shares.shows"), say("shares.made"), say("keys.until"), ""]}
          rows=${(shares ?? []).map((/** @type {any} */ share) => ({
            key: share.id,
            cells: [
              html`<code>${share.prefix}…</code>`,
              html`<span class="brief" dir="auto">${share.title ?? say(share.albumId ? "shares.album" : "shares.generation")}</span>
                ${share.hasPassword ? html`<span class="muted">${say("shares.locked")}</span>` : null}`,
              moment(Date.parse(share.createdAt)),
              share.expiresAt ? moment(Date.parse(share.expiresAt)) : say("share.noEnd"),
              html`<button type="button" class="plain bad whole" aria-label=${say("shares.endOf", share.prefix)} onClick=${() => void revoke(share.id)}>
                ${say("shares.end")}
              </button>`,
            ],
          }))}
        />
      <//>
    <//>
  `;
};
