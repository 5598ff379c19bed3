/** The composer: what the person came to say, one row of quiet choices, one action. */
import { useEffect, useLayoutEffect, useRef, useState } from "../../vendor/preact-hooks.js";
import { change, draft, faults, focusAsked } from "../draft.js";
import { estimate } from "../estimate.js";
import { duration } from "../format.js";
import { html } from "../html.js";
import { sending, submit } from "../submit.js";
import { say } from "../words.js";
import { Fault } from "./choice.js";
import { Choices } from "./choices.js";
import { Close } from "./icons.js";

/** @param {DragEvent} event */
const draggedAddress = (event) => event.dataTransfer?.getData("text/uri-list").split("\n")[0].trim() ?? "";

/** The text grows with what is written; where the browser can do it itself, this changes nothing. */
function useGrowing(/** @type {string} */ text) {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useLayoutEffect(() => {
    const element = area.current;
    if (!element || CSS.supports("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  return area;
}

/** @param {{onClose: () => void}} props */
const InputImage = ({ onClose }) => html`
  <div class="input-image">
    <label for="input-address">${say("composer.inputOn")}</label>
    <input
      id="input-address"
      type="url"
      inputmode="url"
      autocomplete="off"
      spellcheck="false"
      placeholder=${say("composer.inputHint")}
      aria-label=${say("composer.inputAddress")}
      aria-invalid=${faults.value.input_image_url ? "true" : null}
      aria-describedby=${faults.value.input_image_url ? "fault-input_image_url" : null}
      value=${draft.value.input}
      onInput=${(/** @type {any} */ event) => change({ input: event.target.value }, "input_image_url")}
    />
    <button type="button" class="round" aria-label=${say("composer.inputRemove")} onClick=${onClose}>
      <${Close} />
    </button>
  </div>
  <${Fault} name="input_image_url" words=${faults.value.input_image_url} />
`;

/** Faults of fields that have no place of their own here are said together. */
const PLACED = ["prompt", "input_image_url"];
const OtherFaults = () =>
  Object.entries(faults.value)
    .filter(([field]) => !PLACED.includes(field))
    .map(([field, words]) => html`<${Fault} key=${field} name=${field} words=${words} />`);

const Action = () => {
  const time = estimate.value;
  return html`
    <div class="action">
      ${time === null ? null : html`<span class="hint">${say("composer.about", duration(time))}</span>`}
      <button type="submit" class="go" aria-keyshortcuts="Control+Enter" aria-disabled=${sending.value ? "true" : null}>
        <span>${say(sending.value ? "composer.going" : "composer.go")}</span>
        <kbd aria-hidden="true">${say("composer.shortcut")}</kbd>
      </button>
    </div>
  `;
};

export const Composer = () => {
  const area = useGrowing(draft.value.prompt);
  const [wantsInput, setWantsInput] = useState(false);
  const withInput = wantsInput || draft.value.input !== "";
  const fault = faults.value.prompt;

  useEffect(() => {
    if (focusAsked.value === 0) return;
    area.current?.focus();
    area.current?.scrollIntoView({ block: "center" });
  }, [focusAsked.value]);

  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void submit();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (!event.repeat) void submit();
  };
  const onDrop = (/** @type {DragEvent} */ event) => {
    const address = draggedAddress(event);
    if (!address) return;
    event.preventDefault();
    change({ input: address }, "input_image_url");
  };
  const onDragOver = (/** @type {DragEvent} */ event) => {
    if (event.dataTransfer?.types.includes("text/uri-list")) event.preventDefault();
  };

  return html`
    <form
      class="composer"
      aria-label=${say("composer.label")}
      novalidate
      onSubmit=${onSubmit}
      onKeyDown=${onKeyDown}
      onDrop=${onDrop}
      onDragOver=${onDragOver}
    >
      <textarea
        id="prompt"
        ref=${area}
        rows="1"
        maxlength="20000"
        aria-label=${say("composer.prompt")}
        placeholder=${say("composer.prompt")}
        aria-invalid=${fault ? "true" : null}
        aria-describedby=${fault ? "fault-prompt" : null}
        value=${draft.value.prompt}
        onInput=${(/** @type {any} */ event) => change({ prompt: event.target.value }, "prompt")}
      ></textarea>
      <${Fault} name="prompt" words=${fault} />
      ${
        withInput
          ? html`<${InputImage}
              onClose=${() => {
                setWantsInput(false);
                change({ input: "" }, "input_image_url");
              }}
            />`
          : null
      }
      <div class="row">
        <${Choices} withInput=${withInput} onWantInput=${() => setWantsInput(true)} />
        <${Action} />
      </div>
      <${OtherFaults} />
    </form>
  `;
};
