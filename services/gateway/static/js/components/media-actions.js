/** What can be done with a finished file: keep it, pass its lasting address on. */
import { useState } from "../../vendor/preact-hooks.js";
import { copy } from "../copy.js";
import { html } from "../html.js";
import { announce } from "../state.js";
import { say } from "../words.js";
import { Check, Download, Link } from "./icons.js";

const SAID_MS = 1_600;

/** @param {{file: import("../types.js").MediaFile, plain?: boolean}} props */
export const MediaActions = ({ file, plain = false }) => {
  const [copied, setCopied] = useState(/** @type {"" | "media.copied" | "media.copyFailed"} */ (""));
  const copyLink = async () => {
    const outcome = await copy(new URL(file.url, location.href).href).then(
      () => /** @type {const} */ ("media.copied"),
      () => /** @type {const} */ ("media.copyFailed"),
    );
    setCopied(outcome);
    announce(say(outcome));
    setTimeout(() => setCopied(""), SAID_MS);
  };
  const own = new URL(file.url, location.href).origin === location.origin;
  const words = say(copied || "media.copy");
  const look = plain ? "plain" : "round glass";
  return html`
    <a
      class=${look}
      href=${own ? `${file.url}?download` : file.url}
      download=${file.filename}
      target=${own ? null : "_blank"}
      rel="noopener"
      title=${say("media.download")}
      aria-label=${say("media.download")}
    >
      ${plain ? say("media.download") : html`<${Download} />`}
    </a>
    <button type="button" class=${look} title=${words} aria-label=${words} onClick=${copyLink}>
      ${plain ? words : copied === "media.copied" ? html`<${Check} />` : html`<${Link} />`}
    </button>
  `;
};
