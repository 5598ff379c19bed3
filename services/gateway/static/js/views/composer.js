/** The composer: what the person came to say, one row of quiet choices, one action. */
import { useEffect, useLayoutEffect, useRef, useState } from "../../vendor/preact-hooks.js";
import { duration, money, named } from "../base/format.js";
import { html } from "../base/html.js";
import { CHOICES } from "../base/kinds.js";
import { lengthOf } from "../base/rules.js";
import { say } from "../base/words.js";
import { IconButton } from "../parts/buttons.js";
import { Fault } from "../parts/choice.js";
import { Choices } from "../parts/choices.js";
import { Icon } from "../parts/icons.js";
import { addressIn, fileIn, InputImage } from "../parts/input-image.js";
import { change, draft, faults, focusAsked, model } from "../store/draft.js";
import { cost, estimate } from "../store/estimate.js";
import { sending, submit } from "../store/submit.js";
import { forgetInput, takeFile, uploading } from "../store/upload.js";

// From here on it is worth knowing how much room is left.
const NEARLY_FULL = CHOICES.promptMost * 0.9;

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

/** Faults of fields that have no place of their own here are said together. */
const PLACED = ["prompt", "input_image_url"];
const OtherFaults = () =>
  Object.entries(faults.value)
    .filter(([field]) => !PLACED.includes(field))
    .map(([field, words]) => html`<${Fault} key=${field} name=${field} words=${words} />`);

const Action = () => {
  const hints = [
    estimate.value === null ? null : say("composer.about", duration(estimate.value)),
    cost.value === null ? null : cost.value.amount === 0 ? say("composer.free") : money(cost.value),
  ].filter(Boolean);
  return html`
    <div class="action">
      ${hints.length ? html`<span class="hint">${hints.map((hint) => html`<span>${hint}</span>`)}</span>` : null}
      <button
        type="submit"
        class="go"
        aria-keyshortcuts="Control+Enter"
        aria-disabled=${sending.value || uploading.value ? "true" : null}
      >
        <span>${say(sending.value ? "composer.going" : "composer.go")}</span>
        <kbd aria-hidden="true">${say("composer.shortcut")}</kbd>
      </button>
    </div>
  `;
};

/** A model whose work does not begin now: it may be chosen all the same. */
const Rests = () => {
  const { id = "", unavailable_reason: reason } = model.value ?? {};
  return reason ? html`<p class="rests warm" role="status">${say(`composer.rests.${reason}`, named("model", id))}</p>` : null;
};

/** What this is an edit of. */
const Parent = () => {
  const { parent } = draft.value;
  if (!parent) return null;
  return html`<p class="parent">
    <${Icon} name="edit" /><span class="muted">${say("composer.editOf")}</span>
    <span class="parent-prompt" dir="auto">${parent.prompt}</span>
    <${IconButton} icon="close" look="small" label=${say("composer.editForget")} onClick=${() => change({ parent: null })} />
  </p>`;
};

/** Whatever is dropped or pasted: a file is uploaded, an address is taken down. @param {DataTransfer | null} data @param {boolean} addresses */
function takeFrom(data, addresses) {
  const file = fileIn(data);
  if (file) void takeFile(file);
  const address = !file && addresses ? addressIn(data) : "";
  if (address) change({ input: address, inputName: "", inputPicture: "" }, "input_image_url");
  return Boolean(file || address);
}

export const Composer = () => {
  const area = useGrowing(draft.value.prompt);
  const [wantsInput, setWantsInput] = useState(false);
  const [over, setOver] = useState(false);
  const withInput = wantsInput || draft.value.input !== "" || uploading.value !== "" || "input_image_url" in faults.value;
  const fault = faults.value.prompt;
  const length = lengthOf(draft.value.prompt);

  useEffect(() => {
    if (focusAsked.value === 0) return;
    area.current?.focus();
    area.current?.scrollIntoView({ block: "center" });
  }, [focusAsked.value]);

  const send = () => {
    if (!uploading.value) void submit();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (!event.repeat) send();
  };
  const onDrop = (/** @type {DragEvent} */ event) => {
    setOver(false);
    if (takeFrom(event.dataTransfer, true)) event.preventDefault();
  };
  const onDragOver = (/** @type {DragEvent} */ event) => {
    if (!["text/uri-list", "Files"].some((type) => event.dataTransfer?.types.includes(type))) return;
    event.preventDefault();
    setOver(true);
  };

  return html`
    <form
      class=${`composer ${over ? "over" : ""}`}
      aria-label=${say("composer.label")}
      novalidate
      onSubmit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        send();
      }}
      onKeyDown=${onKeyDown}
      onDrop=${onDrop}
      onDragOver=${onDragOver}
      onDragLeave=${() => setOver(false)}
      onPaste=${(/** @type {ClipboardEvent} */ event) => takeFrom(event.clipboardData, false) && event.preventDefault()}
    >
      <${Parent} />
      <textarea
        id="prompt"
        ref=${area}
        rows="1"
        dir="auto"
        aria-label=${say("composer.prompt")}
        placeholder=${say("composer.prompt")}
        aria-invalid=${fault ? "true" : null}
        aria-describedby=${fault ? "fault-prompt" : null}
        value=${draft.value.prompt}
        onInput=${(/** @type {any} */ event) => change({ prompt: event.target.value }, "prompt")}
      ></textarea>
      ${
        length > NEARLY_FULL
          ? html`<p class=${`hint ${length > CHOICES.promptMost ? "bad" : ""}`}>${say("composer.length_of", length, CHOICES.promptMost)}</p>`
          : null
      }
      <${Fault} name="prompt" words=${fault} />
      ${
        withInput
          ? html`<${InputImage}
              onClose=${() => {
                setWantsInput(false);
                forgetInput();
              }}
            />`
          : null
      }
      <div class="row">
        <${Choices} withInput=${withInput} onWantInput=${() => setWantsInput(true)} />
        <${Action} />
      </div>
      <${Rests} />
      <${OtherFaults} />
    </form>
  `;
};
