/** The page: header, composer, now, gallery, and what may lie over them. */
import { html } from "../html.js";
import { announcement, session, view } from "../state.js";
import { say } from "../words.js";
import { Composer } from "./composer.js";
import { Gallery } from "./gallery.js";
import { Header } from "./header.js";
import { Lightbox } from "./lightbox.js";
import { LineNotice } from "./notices.js";
import { Now } from "./now.js";

export const App = () => {
  const create = view.value === "create";
  return html`
    ${create && session.value !== "out" ? html`<a class="skip" href="#prompt">${say("skip")}</a>` : null}
    <${Header} inPage=${true} />
    <${LineNotice} />
    <main>
      <h1 class="unseen">${say(create ? "nav.create" : "nav.gallery")}</h1>
      ${
        session.value === "out"
          ? null
          : html`
              ${create ? html`<${Composer} />` : null}
              <${Now} />
              <${Gallery} />
            `
      }
    </main>
    <${Lightbox} />
    <div class="unseen" role="status" aria-live="polite">${announcement.value}</div>
  `;
};
