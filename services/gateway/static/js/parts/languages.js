/** The language, two letters to press. */
import { html } from "../base/html.js";
import { choose, language, say } from "../base/words.js";

export const Languages = () => html`
  <div class="languages" role="group" aria-label=${say("language.label")}>
    ${
      /** @type {const} */ (["en", "fr"]).map(
        (code) => html`
          <button type="button" lang=${code} aria-pressed=${String(language.value === code)} onClick=${() => choose(code)}>
            <span aria-hidden="true">${code.toUpperCase()}</span>
            <span class="unseen">${code === "en" ? "English" : "Français"}</span>
          </button>
        `,
      )
    }
  </div>
`;
