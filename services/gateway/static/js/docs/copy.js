/** A small button that copies a line. */
import { useState } from "../../vendor/preact-hooks.js";
import { copy } from "../base/copy.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { Icon } from "../parts/icons.js";

const SAID_MS = 1_600;

/** @param {{text: string}} props */
export const CopyLine = ({ text }) => {
  const [copied, setCopied] = useState(false);
  const onClick = async () => {
    await copy(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SAID_MS);
  };
  const words = say(copied ? "docs.copied" : "docs.copy");
  return html`
    <button type="button" class="round small" title=${words} aria-label=${words} onClick=${onClick}>
      <${Icon} name=${copied ? "check" : "copy"} />
    </button>
  `;
};
