/** The image to start from: an address, or a file that was chosen, dropped or pasted. */
import { html } from "../base/html.js";
import { CHOICES } from "../base/kinds.js";
import { say } from "../base/words.js";
import { change, draft, faults, model } from "../store/draft.js";
import { takeFile, uploading } from "../store/upload.js";
import { IconButton } from "./buttons.js";
import { Fault } from "./choice.js";

const FIELD = "input_image_url";

/** The first picture among what was dropped or pasted. @param {DataTransfer | null} data */
export const fileIn = (data) => [...(data?.files ?? [])].find((file) => file.type.startsWith("image/")) ?? null;

/** The address that was dragged here from a gallery or another page. @param {DataTransfer | null} data */
export const addressIn = (data) => data?.getData("text/uri-list").split("\n")[0].trim() ?? "";

const Address = () => html`
  <input
    id="input-address"
    type="url"
    inputmode="url"
    autocomplete="off"
    spellcheck="false"
    placeholder=${say("composer.inputHint")}
    aria-label=${say("composer.inputAddress")}
    aria-invalid=${faults.value[FIELD] ? "true" : null}
    aria-describedby=${faults.value[FIELD] ? `fault-${FIELD}` : null}
    value=${draft.value.input}
    onInput=${(/** @type {any} */ event) =>
      change({ input: event.target.value, inputName: "", inputPicture: "" }, FIELD)}
  />
  <label class="chip file">
    ${say("composer.inputChoose")}
    <input
      type="file"
      accept=${CHOICES.uploadTypes.join(",")}
      onChange=${(/** @type {any} */ event) => event.target.files[0] && void takeFile(event.target.files[0])}
    />
  </label>
`;

/** @param {{onClose: () => void}} props */
export const InputImage = ({ onClose }) => {
  const { input, inputName, inputPicture } = draft.value;
  return html`
    <div class="input-image">
      ${inputPicture ? html`<img src=${inputPicture} alt="" width="40" height="40" />` : null}
      <span class="input-label">${say("composer.inputOn")}</span>
      ${
        uploading.value
          ? html`<span class="input-name" role="status">${say("composer.uploading", uploading.value)}</span>`
          : input.startsWith("upload:")
            ? html`<span class="input-name" dir="auto">${inputName || say("composer.inputOwn")}</span>`
            : html`<${Address} />`
      }
      <${IconButton} icon="close" label=${say("composer.inputRemove")} onClick=${onClose} />
    </div>
    ${model.value?.input_image === false && input ? html`<p class="warm">${say("composer.inputUnused")}</p>` : null}
    <${Fault} name=${FIELD} words=${faults.value[FIELD]} />
  `;
};
