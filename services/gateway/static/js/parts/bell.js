/** The bell: a count that lives, and what was told. */
import { useRef } from "../../vendor/preact-hooks.js";
import { moment } from "../base/format.js";
import { html } from "../base/html.js";
import { go } from "../base/places.js";
import { knows, say } from "../base/words.js";
import { bellOpen, loadNotices, markRead, nextNotices, notices, noticesFailed, unread } from "../store/bell.js";
import { openById } from "../store/opened.js";
import { Icon } from "./icons.js";
import { Listed } from "./states.js";

/** @typedef {import("../store/bell.js").Notice} Notice */

/**
 * What a notice says. The titles of rows are the contract with applications; here the prompt says what it is about,
 * and the count is in words. @param {Notice} notice @returns {[string, string | null]}
 */
function inWords({ type, title, message, prompt }) {
  const done = /^([A-Z]+)_COMPLETED$/.exec(type);
  const key = `bell.done.${done?.[1].toLowerCase()}`;
  const said = done && knows(key) ? say(key, Number(/\d+/.exec(message)?.[0] ?? 1)) : null;
  if (prompt) return [prompt, said ?? `${title}. ${message}`];
  return said ? [said, null] : [title, message];
}

/** @param {{notice: Notice, close: () => void}} props */
const One = ({ notice, close }) => {
  const { id, createdAt, read, metadata } = notice;
  const [about, words] = inWords(notice);
  const press = () => {
    if (!read) void markRead([id]);
    const done = notice.type.endsWith("_COMPLETED") && metadata?.generationId;
    if (done) void openById(metadata.generationId);
    // What failed stands under "Now"; what is about a webhook, in its log.
    else go(notice.type.startsWith("WEBHOOK_") ? "/settings" : "/");
    close();
  };
  return html`
    <li>
      <button type="button" class=${`notice-one ${read ? "" : "unread"}`} onClick=${press}>
        <strong class="brief" dir="auto">${about}</strong>
        ${words ? html`<span class="muted">${words}</span>` : null}
        <time class="muted figure" datetime=${createdAt}>${moment(Date.parse(createdAt))}</time>
        ${read ? null : html`<span class="unseen">${say("bell.unread")}</span>`}
      </button>
    </li>
  `;
};

/** @param {{close: () => void}} props */
const Notices = ({ close }) => html`
  <div class="notices-head">
    <h2>${say("bell.title")}</h2>
    ${
      unread.value.count > 0
        ? html`<button type="button" class="plain accent" onClick=${() => void markRead(null)}>${say("bell.readAll")}</button>`
        : null
    }
  </div>
  <${Listed}
    data=${notices.value}
    failed=${noticesFailed.value}
    again=${() => void loadNotices()}
    empty=${html`<p class="quiet">${say("bell.empty")}</p>`}
  >
    <ul>
      ${(notices.value ?? []).map((notice) => html`<${One} key=${notice.id} notice=${notice} close=${close} />`)}
    </ul>
    ${
      nextNotices.value
        ? html`<button type="button" class="plain accent" onClick=${() => void loadNotices(true)}>${say("more")}</button>`
        : null
    }
  <//>
`;

export const Bell = () => {
  const panel = useRef(/** @type {HTMLElement | null} */ (null));
  const { count, atLeast } = unread.value;
  const shown = atLeast || count > 99 ? "99+" : String(count);
  const close = () => panel.current?.hidePopover();
  const onToggle = (/** @type {any} */ event) => {
    bellOpen.value = event.newState === "open";
    if (bellOpen.value) void loadNotices();
  };
  return html`
    <button type="button" class="round bell-button" popovertarget="bell" aria-label=${say("bell.label", count)} title=${say("bell.title")}>
      <${Icon} name="bell" />
      ${count > 0 ? html`<span class="badge figure" aria-hidden="true">${shown}</span>` : null}
    </button>
    <div id="bell" class="notices" popover="auto" ref=${panel} role="dialog" aria-label=${say("bell.title")} onToggle=${onToggle}>
      ${bellOpen.value ? html`<${Notices} close=${close} />` : null}
    </div>
  `;
};
