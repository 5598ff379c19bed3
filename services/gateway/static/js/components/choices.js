/** The row of quiet choices under the prompt. */
import { change, draft, faults } from "../draft.js";
import { dimensions, named } from "../format.js";
import { html } from "../html.js";
import { CHOICES, LENGTHS, shapeOf } from "../kinds.js";
import { say } from "../words.js";
import { Choice } from "./choice.js";
import { Plus } from "./icons.js";

/** @typedef {import("../types.js").Kind} Kind */

const Kinds = () => html`
  <fieldset class="segments">
    <legend class="unseen">${say("kind.label")}</legend>
    ${
      /** @type {Kind[]} */ (["image", "video"]).map(
        (kind) => html`
          <label>
            <input
              type="radio"
              name="kind"
              value=${kind}
              checked=${draft.value.kind === kind}
              onChange=${() => change({ kind })}
            />
            <span>${say(`kind.${kind}`)}</span>
          </label>
        `,
      )
    }
  </fieldset>
`;

/** @param {string[]} sizes */
function sizesByShape(sizes) {
  const shapes = /** @type {const} */ (["square", "wide", "tall"]);
  return shapes
    .map((shape) => ({
      label: say(`shape.${shape}`),
      options: sizes
        .filter((size) => shapeOf(size) === shape)
        .map((size) => ({ value: size, words: dimensions(size) })),
    }))
    .filter((group) => group.options.length > 0);
}

const plain = (/** @type {(string | number)[]} */ values, words = (/** @type {string} */ value) => value) =>
  values.map((value) => ({ value: String(value), words: words(String(value)) }));

/** @param {{withInput: boolean, onWantInput: () => void}} props */
export const Choices = ({ withInput, onWantInput }) => {
  const { kind, style, size, count, quality, model, seconds } = draft.value;
  const choices = CHOICES.kinds[kind];
  const counts = Array.from({ length: choices.maxCount }, (_, index) => index + 1);
  const lengths = LENGTHS.includes(seconds) ? LENGTHS : [...LENGTHS, seconds].sort((a, b) => a - b);
  const fault = (/** @type {string} */ field) => faults.value[field];
  return html`
    <div class="choices">
      <${Kinds} />
      <${Choice}
        name="style"
        label=${say("composer.style")}
        value=${style}
        fault=${fault("style")}
        options=${plain(["", ...CHOICES.styles], (name) => say(`style.${name}`))}
        onChange=${(/** @type {string} */ value) => change({ style: value }, "style")}
      />
      <${Choice}
        name="size"
        label=${say("composer.size")}
        value=${size[kind]}
        fault=${fault("size")}
        options=${sizesByShape(choices.sizes)}
        onChange=${(/** @type {string} */ value) => change({ size: { ...size, [kind]: value } }, "size")}
      />
      ${
        kind === "video"
          ? html`<${Choice}
              name="duration_seconds"
              label=${say("composer.length")}
              value=${String(seconds)}
              fault=${fault("duration_seconds")}
              options=${plain(lengths, (value) => `${value} s`)}
              onChange=${(/** @type {string} */ value) => change({ seconds: Number(value) }, "duration_seconds")}
            />`
          : null
      }
      <${Choice}
        name=${choices.countField}
        label=${say("composer.count")}
        value=${String(count[kind])}
        fault=${fault(choices.countField)}
        options=${plain(counts)}
        onChange=${(/** @type {string} */ value) =>
          change({ count: { ...count, [kind]: Number(value) } }, choices.countField)}
      />
      <${Choice}
        name="quality"
        label=${say("composer.quality")}
        value=${quality}
        fault=${fault("quality")}
        options=${plain(CHOICES.qualities, (name) => say(`quality.${name}`))}
        onChange=${(/** @type {string} */ value) => change({ quality: value }, "quality")}
      />
      <${Choice}
        name="model"
        label=${say("composer.model")}
        value=${model}
        fault=${fault("model")}
        options=${plain(choices.models, (name) => named("model", name))}
        onChange=${(/** @type {string} */ value) => change({ model: value }, "model")}
      />
      ${
        withInput
          ? null
          : html`<button type="button" class="chip dashed" onClick=${onWantInput}>
              <${Plus} />${say("composer.input")}
            </button>`
      }
    </div>
  `;
};
