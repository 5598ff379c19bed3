/** What stands where there is nothing yet: loading, nothing there, did not work. */
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { Mark } from "./icons.js";

/** @param {{again: () => void, words?: string}} props */
export const Failed = ({ again, words = say("failed") }) => html`
  <p class="quiet" role="alert">
    ${words} <button type="button" class="plain accent" onClick=${again}>${say("again")}</button>
  </p>
`;

/** @param {{title: string, text?: string, children?: any}} props */
export const Empty = ({ title, text, children }) => html`
  <div class="empty">
    <${Mark} />
    <h3>${title}</h3>
    ${text ? html`<p>${text}</p>` : null} ${children}
  </div>
`;

/** Lines that are on their way. @param {{lines?: number}} props */
export const Loading = ({ lines = 3 }) => html`
  <div class="loading" role="status">
    <span class="unseen">${say("loading")}</span>
    ${Array.from({ length: lines }, (_, index) => html`<span class="ghost-line" key=${index}></span>`)}
  </div>
`;

/**
 * One of the three states, or what there is. `data` is null until the answer came.
 * @param {{data: any[] | null, failed: boolean, again: () => void, empty: any, children: any}} props
 */
export const Listed = ({ data, failed, again, empty, children }) => {
  if (failed) return html`<${Failed} again=${again} />`;
  if (data === null) return html`<${Loading} />`;
  return data.length ? children : empty;
};
