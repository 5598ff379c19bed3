/** The top line: the name, where one can go, the bell, and the person. */
import { html } from "../base/html.js";
import { follow, go, place } from "../base/places.js";
import { say } from "../base/words.js";
import { isOperator, leave, me, session } from "../store/session.js";
import { Bell } from "./bell.js";
import { Menu } from "./buttons.js";
import { Icon, Mark } from "./icons.js";
import { Languages } from "./languages.js";

/** @typedef {import("./icons.js").IconName} IconName */

/** Where one can go. @returns {{path: string, view: string, icon: IconName}[]} */
const places = () => [
  { path: "/", view: "create", icon: "create" },
  { path: "/gallery", view: "gallery", icon: "gallery" },
  { path: "/albums", view: "albums", icon: "album" },
  ...(isOperator.value ? [{ path: "/operate", view: "operate", icon: /** @type {const} */ ("operate") }] : []),
];

/** @param {{inPage: boolean, look: string}} props */
const Places = ({ inPage, look }) => html`
  <nav class=${look} aria-label=${say("nav.label")}>
    ${places().map(
      ({ path, view, icon }) => html`
        <a href=${path} aria-current=${inPage && place.value.view === view ? "page" : null} onClick=${inPage ? follow : null}>
          <${Icon} name=${icon} /><span>${say(`nav.${view}`)}</span>
        </a>
      `,
    )}
  </nav>
`;

/** Two letters for a person. */
function initials() {
  const name = String(me.value?.name || me.value?.email || "");
  const words = name.split(/[\s.@_-]+/).filter(Boolean);
  return words
    .slice(0, 2)
    .map((word) => [...word][0].toUpperCase())
    .join("");
}

const Person = () => html`
  <${Menu}
    look="person"
    label=${say("account")}
    items=${() => [
      { words: say("nav.settings"), icon: "settings", run: () => go("/settings") },
      { words: say("nav.api"), icon: "link", href: "/docs" },
      { words: say("signout"), icon: "leave", run: () => void leave() },
    ]}
  >
    ${initials() || html`<${Icon} name="settings" />`}
  <//>
`;

/** @param {{inPage: boolean}} props  whether the views are in this document */
export const Header = ({ inPage }) => {
  const there = session.value !== "unknown";
  return html`
    <header class="top">
      <a class="name" href="/" onClick=${inPage ? follow : null}><${Mark} /><span>Sorami</span></a>
      <${Places} inPage=${inPage} look="places" />
      ${inPage && there ? html`<${Bell} /><${Person} />` : html`<${Languages} />`}
    </header>
  `;
};

/** The same places at the foot of a narrow screen, where a thumb is. */
export const Foot = () => html`<${Places} inPage=${true} look="foot" />`;
