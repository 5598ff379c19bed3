/** A line that opens to show more; what it shows is made, and asked for, when somebody opens it. */
import { useState } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";
import { Icon } from "./icons.js";

/** @param {{words: string, children: any}} props */
export const Disclosure = ({ words, children }) => {
  const [open, setOpen] = useState(false);
  return html`
    <div class="disclosure">
      <button type="button" class="plain" aria-expanded=${String(open)} onClick=${() => setOpen(!open)}>
        <${Icon} name="caret" />${words}
      </button>
      ${open ? children : null}
    </div>
  `;
};
