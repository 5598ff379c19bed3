/** What interrupts: a line that is down, a session that is over, and what is said in passing. */
import { useEffect, useState } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { hush, line, me, session, toasts, toSignIn } from "../store/session.js";
import { IconButton } from "./buttons.js";

const SAID_MS = 5_000;
const WITH_A_WAY_BACK_MS = 12_000;

/** @typedef {import("../store/session.js").Toast} Toast */

export const LineNotice = () => {
  const [offline, setOffline] = useState(!navigator.onLine);
  useEffect(() => {
    const look = () => setOffline(!navigator.onLine);
    window.addEventListener("online", look);
    window.addEventListener("offline", look);
    return () => {
      window.removeEventListener("online", look);
      window.removeEventListener("offline", look);
    };
  }, []);
  const lost = offline || (line.value === "lost" && session.value !== "over");
  return html`
    <div class="notice" role="status">
      ${lost ? html`<p><span class="dot" aria-hidden="true"></span>${say(offline ? "line.offline" : "line.lost")}</p>` : null}
      ${me.value?.actor ? html`<p><span class="dot" aria-hidden="true"></span>${say("actor", me.value.actor, me.value.name ?? me.value.user_id)}</p>` : null}
    </div>
  `;
};

/** The session ended while the page was open: everything stays where it is until one comes back. */
export const SessionOver = () =>
  session.value === "over"
    ? html`<div class="over-session" role="alert">
        <p>${say("session.over")}</p>
        <a class="go" href=${toSignIn()}>${say("signin.go")}</a>
      </div>`
    : null;

/** @param {{toast: Toast}} props */
const One = ({ toast }) => {
  const { id, text, tone, action } = toast;
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => hush(id), action ? WITH_A_WAY_BACK_MS : SAID_MS);
    return () => clearTimeout(timer);
  }, [held]);
  const hold = { onPointerEnter: () => setHeld(true), onPointerLeave: () => setHeld(false) };
  return html`
    <div class=${`toast ${tone}`} ...${hold} onFocusIn=${() => setHeld(true)} onFocusOut=${() => setHeld(false)}>
      <span>${text}</span>
      ${
        action
          ? html`<button
              type="button"
              class="plain accent"
              onClick=${() => {
                hush(id);
                action.run();
              }}
            >
              ${action.words}
            </button>`
          : null
      }
      <${IconButton} icon="close" look="small" label=${say("close")} onClick=${() => hush(id)} />
    </div>
  `;
};

/** Ctrl Z takes the last way back that is offered, where nothing is being written. @param {KeyboardEvent} event */
function undo(event) {
  const writes = /** @type {HTMLElement} */ (event.target).closest?.("input, textarea, select");
  const toast = toasts.value.findLast(({ action }) => action);
  if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || writes || !toast) return;
  event.preventDefault();
  hush(toast.id);
  toast.action?.run();
}

export const Toasts = () => {
  useEffect(() => {
    document.addEventListener("keydown", undo);
    return () => document.removeEventListener("keydown", undo);
  }, []);
  return html`
    <div class="toasts" role="status" aria-live="polite">
      ${toasts.value.map((toast) => html`<${One} key=${toast.id} toast=${toast} />`)}
    </div>
  `;
};
