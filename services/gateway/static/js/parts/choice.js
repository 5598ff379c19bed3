/** A quiet choice: a chip that says what is chosen; underneath it is the browser's own list. */
import { html } from "../base/html.js";
import { Icon } from "./icons.js";

/**
 * @typedef {{value: string, words: string}} Option
 * @param {{
 *   name: string, label: string, value: string, options: Option[] | {label: string, options: Option[]}[],
 *   shown?: string, fault?: string, onChange: (value: string) => void,
 * }} props
 */
export const Choice = ({ name, label, value, options, shown, fault, onChange }) => {
  const flat = options.flatMap((option) => ("options" in option ? option.options : [option]));
  const chosen = shown ?? flat.find((option) => option.value === value)?.words ?? value;
  const one = (/** @type {Option} */ option) => html`
    <option value=${option.value} selected=${option.value === value}>${option.words}</option>
  `;
  return html`
    <label class=${`chip choice ${fault ? "faulty" : ""}`}>
      <span class="chip-name">${label}</span>
      <span class="chip-value" aria-hidden="true">${chosen}</span>
      <${Icon} name="caret" />
      <select
        name=${name}
        aria-label=${label}
        aria-invalid=${fault ? "true" : null}
        aria-describedby=${fault ? `fault-${name}` : null}
        value=${value}
        onChange=${(/** @type {Event} */ event) => onChange(/** @type {HTMLSelectElement} */ (event.target).value)}
      >
        ${options.map((option) =>
          "options" in option
            ? html`<optgroup label=${option.label}>${option.options.map(one)}</optgroup>`
            : one(option),
        )}
      </select>
    </label>
  `;
};

/** The words of a fault, where its field is. @param {{name: string, words?: string}} props */
export const Fault = ({ name, words }) =>
  words ? html`<p class="fault" id=${`fault-${name}`} role="alert">${words}</p>` : null;
