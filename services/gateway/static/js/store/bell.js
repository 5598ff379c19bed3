/** The bell: how much is unread, what was told, and marking it read. */
import { signal } from "../../vendor/signals.js";
import { get, post } from "../base/api.js";
import { session } from "./session.js";

/** @typedef {{id: string, type: string, title: string, message: string, prompt: string | null, metadata: any, createdAt: string, read: boolean}} Notice */

const ASK_MS = 60_000;
const PAGE = 20;

export const unread = signal({ count: 0, atLeast: false });
/** @type {import("../../vendor/signals.js").Signal<Notice[] | null>} */
export const notices = signal(null);
/** @type {import("../../vendor/signals.js").Signal<string | null>} */
export const nextNotices = signal(null);
export const noticesFailed = signal(false);
export const bellOpen = signal(false);

export async function askForUnread() {
  const before = unread.value.count;
  unread.value = await get("/api/notifications/unread-count").catch(() => unread.value);
  if (bellOpen.value && unread.value.count !== before) await loadNotices();
}

/** Load what was told, the newest first; or go on. */
export async function loadNotices(further = false) {
  noticesFailed.value = false;
  try {
    const page = await get("/api/notifications", { limit: PAGE, cursor: further ? nextNotices.value : null });
    notices.value = [...(further ? (notices.value ?? []) : []), ...page.notifications];
    nextNotices.value = page.nextCursor;
  } catch {
    noticesFailed.value = true;
  }
}

/** Mark some as read, or all. @param {string[] | null} ids */
export async function markRead(ids) {
  const wanted = new Set(ids);
  notices.value = (notices.value ?? []).map((one) => (ids === null || wanted.has(one.id) ? { ...one, read: true } : one));
  await post("/api/notifications/read", ids === null ? { all: true } : { ids }).catch(() => null);
  await askForUnread();
}

// What ends no job (an endpoint that fails, an operator's word) is noticed within a minute.
setInterval(() => {
  if (session.value === "in" && !document.hidden) void askForUnread();
}, ASK_MS);
