/** Settings: how the page looks, and what programs may do in one's name. */
import { html } from "../base/html.js";
import { choose, language, say } from "../base/words.js";
import { Section } from "../parts/section.js";
import { chooseTheme, theme, THEMES } from "../store/prefs.js";
import { leave, may, me } from "../store/session.js";
import { Channels } from "./settings/channels.js";
import { Keys } from "./settings/keys.js";
import { Shares } from "./settings/shares.js";
import { Webhooks } from "./settings/webhooks.js";

/** @param {{label: string, name: string, value: string, options: {value: string, words: string, lang?: string}[], onChange: (value: any) => void}} props */
const Segments = ({ label, name, value, options, onChange }) => html`
  <div class="setting">
    <span id=${`setting-${name}`}>${label}</span>
    <div class="segments" role="radiogroup" aria-labelledby=${`setting-${name}`}>
      ${options.map(
        (option) => html`
          <label lang=${option.lang}>
            <input
              type="radio"
              name=${name}
              value=${option.value}
              checked=${option.value === value}
              onChange=${() => onChange(option.value)}
            />
            <span>${option.words}</span>
          </label>
        `,
      )}
    </div>
  </div>
`;

const Look = () => html`
  <${Section} id="look" title=${say("settings.look")}>
    <${Segments}
      label=${say("language.label")}
      name="language"
      value=${language.value}
      options=${[
        { value: "en", words: "English", lang: "en" },
        { value: "fr", words: "Français", lang: "fr" },
      ]}
      onChange=${choose}
    />
    <${Segments}
      label=${say("theme.label")}
      name="theme"
      value=${theme.value}
      options=${THEMES.map((value) => ({ value, words: say(`theme.${value}`) }))}
      onChange=${chooseTheme}
    />
  <//>
`;

const Account = () => {
  const { name, email, user_id: id, organization } = me.value ?? {};
  return html`
    <${Section} id="account" title=${say("account")}>
      <dl class="pairs">
        <div>
          <dt>${say("account.name")}</dt>
          <dd dir="auto">${name ?? email ?? id}</dd>
        </div>
        ${
          organization
            ? html`<div>
                <dt>${say("account.organization")}</dt>
                <dd dir="auto">${organization.name ?? organization.id}</dd>
              </div>`
            : null
        }
        <div>
          <dt>${say("account.id")}</dt>
          <dd><code>${id}</code></dd>
        </div>
      </dl>
      <button type="button" class="chip" onClick=${() => void leave()}>${say("signout")}</button>
    <//>
  `;
};

export const Settings = () =>
  me.value
    ? html`<div class="column">
        <${Look} />
        ${may("account") ? html`<${Channels} /><${Keys} /><${Webhooks} />` : null}
        ${may("media:read") ? html`<${Shares} />` : null}
        <${Account} />
      </div>`
    : null;
