/** Buttons that are only an icon, and the ones that open a menu. */
import { useRef, useState } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";
import { Icon } from "./icons.js";

/** @typedef {import("./icons.js").IconName} IconName */

/**
 * @param {{icon: IconName, label: string, onClick: (event: MouseEvent) => void, look?: string, solid?: boolean, pressed?: boolean | null, tabindex?: number}} props
 */
export const IconButton = ({ icon, label, onClick, look = "", solid = false, pressed = null, tabindex }) => html`
  <button
    type="button"
    class=${`round ${look}`}
    aria-label=${label}
    title=${label}
    aria-pressed=${pressed === null ? null : String(pressed)}
    tabindex=${tabindex}
    onClick=${onClick}
  >
    <${Icon} name=${icon} solid=${solid} />
  </button>
`;

/** @typedef {{words: string, icon?: IconName, run?: () => void, href?: string, download?: string | boolean, bad?: boolean}} Item */

const EDGE_PX = 8;

/** Beside its button, and always on the screen. @param {HTMLElement} menu @param {HTMLElement} button */
function settle(menu, button) {
  const at = button.getBoundingClientRect();
  const below = at.bottom + menu.offsetHeight + EDGE_PX < innerHeight;
  const left = Math.min(at.right - menu.offsetWidth, innerWidth - menu.offsetWidth - EDGE_PX);
  menu.style.top = `${below ? at.bottom + 6 : Math.max(EDGE_PX, at.top - menu.offsetHeight - 6)}px`;
  menu.style.left = `${Math.max(EDGE_PX, left)}px`;
}

/** Arrows walk through a menu. @param {KeyboardEvent} event */
function walk(event) {
  const all = [.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll("[role=menuitem]")];
  const here = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (all[(to + all.length) % all.length]).focus();
}

/** @param {{item: Item, close: () => void}} props */
const MenuItem = ({ item, close }) => {
  const inside = html`${item.icon ? html`<${Icon} name=${item.icon} />` : null}<span>${item.words}</span>`;
  const press = () => {
    close();
    item.run?.();
  };
  const look = item.bad ? "bad" : "";
  return item.href
    ? html`<a role="menuitem" tabindex="-1" class=${look} href=${item.href} download=${item.download} onClick=${press}>
        ${inside}
      </a>`
    : html`<button role="menuitem" tabindex="-1" type="button" class=${look} onClick=${press}>${inside}</button>`;
};

/**
 * A button with a menu; the menu lies over everything and is made only while it is open.
 * @param {{label: string, look?: string, tabindex?: number, items: () => Item[], children: any}} props
 */
export const Menu = ({ label, look = "round", tabindex, items, children }) => {
  const [open, setOpen] = useState(false);
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const menu = useRef(/** @type {HTMLElement | null} */ (null));
  const show = (/** @type {HTMLElement | null} */ element) => {
    menu.current = element;
    if (!element || !button.current || element.matches(":popover-open")) return;
    element.showPopover();
    settle(element, button.current);
    /** @type {HTMLElement | null} */ (element.querySelector("[role=menuitem]"))?.focus();
  };
  const close = () => {
    menu.current?.hidePopover();
    button.current?.focus();
  };
  return html`
    <button
      type="button"
      class=${look}
      ref=${button}
      aria-label=${label}
      title=${label}
      aria-haspopup="menu"
      aria-expanded=${String(open)}
      tabindex=${tabindex}
      onClick=${() => setOpen(!open)}
    >
      ${children}
    </button>
    ${
      open
        ? html`<div
            class="menu"
            popover="auto"
            role="menu"
            tabindex="-1"
            aria-label=${label}
            ref=${show}
            onToggle=${(/** @type {any} */ event) => event.newState === "closed" && setOpen(false)}
            onKeyDown=${(/** @type {KeyboardEvent} */ event) => (event.key === "Tab" ? close() : walk(event))}
          >
            ${items().map((item) => html`<${MenuItem} key=${item.words} item=${item} close=${close} />`)}
          </div>`
        : null
    }
  `;
};
