/** A button that copies, and says whether it did. */
import { useState } from "../../vendor/preact-hooks.js";
import { copy } from "../base/copy.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { announce } from "../store/session.js";

const SAID_MS = 1_600;

/** @param {{text: string, words?: string, look?: string, done?: string}} props */
export const CopyButton = ({ text, words = say("copy"), look = "plain accent", done = say("copied") }) => {
  const [said, setSaid] = useState("");
  const press = async () => {
    const outcome = await copy(text).then(
      () => done,
      () => say("copyFailed"),
    );
    setSaid(outcome);
    announce(outcome);
    setTimeout(() => setSaid(""), SAID_MS);
  };
  return html`<button type="button" class=${look} onClick=${press}>${said || words}</button>`;
};
