/** The page: header, one view, and what may lie over it. */
import { html } from "../base/html.js";
import { place } from "../base/places.js";
import { say } from "../base/words.js";
import { Foot, Header } from "../parts/header.js";
import { Later } from "../parts/later.js";
import { LineNotice, SessionOver, Toasts } from "../parts/notices.js";
import { opened, question } from "../store/opened.js";
import { announcement, isOperator } from "../store/session.js";
import { Composer } from "./composer.js";
import { Gallery } from "./gallery.js";
import { Now } from "./now.js";

const Create = () => html`
  <${Composer} />
  <${Now} />
  <${Gallery} />
`;

const GalleryView = () => html`
  <${Now} open=${true} />
  <${Gallery} />
`;

const Albums = () => html`<${Later} fetch=${async () => (await import("./albums.js")).Albums} />`;
const Settings = () => html`<${Later} fetch=${async () => (await import("./settings.js")).Settings} />`;
const Operate = () => html`<${Later} fetch=${async () => (await import("./operate.js")).Operate} />`;

const VIEWS = { create: Create, gallery: GalleryView, albums: Albums, settings: Settings, operate: Operate };

export const App = () => {
  const { view } = place.value;
  const View = view === "operate" && !isOperator.value ? Create : VIEWS[view];
  document.title = view === "create" ? "Sorami" : `${say(`nav.${view}`)} · Sorami`;
  const target = view === "create" ? "#prompt" : "#main";
  return html`
    <a class="skip" href=${target}>${say(view === "create" ? "skip" : "skipToMain")}</a>
    <${Header} inPage=${true} />
    <${LineNotice} />
    <main id="main" tabindex="-1">
      <h1 class="unseen">${say(`nav.${view}`)}</h1>
      <${View} />
    </main>
    <${Foot} />
    <${SessionOver} />
    ${opened.value ? html`<${Later} fetch=${async () => (await import("./lightbox.js")).Lightbox} quiet=${true} />` : null}
    ${question.value ? html`<${Later} fetch=${async () => (await import("../parts/questions.js")).Question} quiet=${true} />` : null}
    <${Toasts} />
    <div class="unseen" role="status" aria-live="polite">${announcement.value}</div>
  `;
};
