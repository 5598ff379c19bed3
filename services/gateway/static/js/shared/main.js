/** The page of a share: asks for its data, its password when it has one, and shows its media. */
import { language, words } from "./words.js";

const token = location.pathname.split("/")[2] ?? "";
const base = `/api/shared/${token}`;
const find = (id) => document.getElementById(id);
const [main, title, notice, form, password, items, more] = [
  document.querySelector("main"),
  ...["title", "notice", "unlock", "password", "items", "more"].map(find),
];
let cursor = null;

const NOTICES = { 401: "locked", 403: "wrong", 404: "missing", 410: "over", 429: "wait" };

function say(status) {
  notice.textContent = words[NOTICES[status] ?? "trouble"];
}

function medium(item, file) {
  const figure = document.createElement("figure");
  const shown = document.createElement(item.kind === "video" ? "video" : "img");
  if (item.kind === "video") {
    shown.controls = true;
    shown.preload = "metadata";
    if (file.thumbnailUrl) shown.poster = file.thumbnailUrl;
  } else {
    shown.loading = "lazy";
    shown.alt = item.prompt ?? words.image;
  }
  if (file.width && file.height) Object.assign(shown, { width: file.width, height: file.height });
  shown.src = file.url;
  figure.append(shown);
  if (item.prompt) {
    const caption = document.createElement("figcaption");
    caption.textContent = item.prompt;
    figure.append(caption);
  }
  return figure;
}

function show(shared) {
  form.hidden = true;
  title.textContent = shared.title ?? words.title;
  document.title = title.textContent;
  items.append(...shared.items.flatMap((item) => item.files.map((file) => medium(item, file))));
  notice.textContent = items.childElementCount ? "" : words.empty;
  cursor = shared.nextCursor;
  more.hidden = cursor === null;
}

async function load() {
  main.setAttribute("aria-busy", "true");
  try {
    const query = cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const answer = await fetch(base + query, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      show(await answer.json());
    } else {
      if (answer.status !== 401) items.replaceChildren();
      more.hidden = true;
      form.hidden = answer.status !== 401;
      say(answer.status);
      if (!form.hidden) password.focus();
    }
  } catch {
    say(503);
  }
  main.setAttribute("aria-busy", "false");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch(`${base}/unlock`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ password: password.value }),
  }).catch(() => ({ ok: false, status: 503 }));
  password.value = "";
  if (answer.ok) await load();
  else say(answer.status);
});
more.addEventListener("click", load);

document.documentElement.lang = language;
title.textContent = words.title;
document.querySelector("label").textContent = words.password;
form.querySelector("button").textContent = words.open;
more.textContent = words.more;
await load();
