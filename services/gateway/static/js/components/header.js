/** The top line: the name, where one can go, the language. */
import { html } from "../html.js";
import { ApiError, signOut } from "../api.js";
import { announce, go, session, signedOut, view } from "../state.js";
import { choose, knows, language, say } from "../words.js";
import { Leave, Mark } from "./icons.js";

/** Go without loading anew, unless the person wants another tab. @param {MouseEvent} event @param {string} path */
function follow(event, path) {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(path);
}

/** End the session here and at the gateway; without an answer the person stays, and sees that. */
async function leave() {
  try {
    await signOut();
    signedOut();
  } catch (error) {
    const { code, detail } = /** @type {ApiError} */ (error);
    announce(knows(`problem.${code}`) ? say(`problem.${code}`) : say("problem.other", detail));
  }
}

/** @param {{path: string, words: string, here: boolean, inPage: boolean}} props */
const Place = ({ path, words, here, inPage }) => html`
  <a
    href=${path}
    aria-current=${here ? "page" : null}
    onClick=${inPage ? (/** @type {MouseEvent} */ event) => follow(event, path) : null}
    >${say(words)}</a
  >
`;

export const Languages = () => html`
  <div class="languages" role="group" aria-label=${say("language.label")}>
    ${
      /** @type {const} */ (["en", "fr"]).map(
        (code) => html`
          <button type="button" lang=${code} aria-pressed=${language.value === code} onClick=${() => choose(code)}>
            <span aria-hidden="true">${code.toUpperCase()}</span>
            <span class="unseen">${code === "en" ? "English" : "Français"}</span>
          </button>
        `,
      )
    }
  </div>
`;

/** @param {{inPage: boolean}} props  whether the create and gallery views are in this document */
export const Header = ({ inPage }) => html`
  <header class="top">
    <a class="name" href="/" onClick=${inPage ? (/** @type {MouseEvent} */ event) => follow(event, "/") : null}>
      <${Mark} /><span>Sorami</span>
    </a>
    <nav aria-label=${say("nav.label")}>
      <${Place} path="/" words="nav.create" here=${inPage && view.value === "create"} inPage=${inPage} />
      <${Place} path="/gallery" words="nav.gallery" here=${inPage && view.value === "gallery"} inPage=${inPage} />
      <${Place} path="/docs" words="nav.api" here=${!inPage} inPage=${false} />
    </nav>
    <${Languages} />
    ${
      inPage && session.value === "in"
        ? html`<button type="button" class="round small" aria-label=${say("signout")} title=${say("signout")} onClick=${leave}>
            <${Leave} />
          </button>`
        : null
    }
  </header>
`;
