/** The row of quiet choices under the prompt, as the chosen model allows. */
import { lengthsOf, modelsFor, abilityOf, sizesOf } from "../base/abilities.js";
import { dimensions, named } from "../base/format.js";
import { html } from "../base/html.js";
import { CHOICES, KINDS, shapeOf } from "../base/kinds.js";
import { say } from "../base/words.js";
import { change, changeOfKind, draft, faults, fit, model } from "../store/draft.js";
import { models } from "../store/models.js";
import { Choice } from "./choice.js";
import { Icon } from "./icons.js";

/** @typedef {import("../types.js").Ability} Ability */

const Kinds = () => html`
  <fieldset class="segments">
    <legend class="unseen">${say("kind.label")}</legend>
    ${KINDS.map(
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
    )}
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

const numbersTo = (/** @type {number} */ most) => Array.from({ length: most }, (_, index) => index + 1);

/** Each provider's models together; one whose provider rests says so: what is asked of it waits. */
function modelsByProvider() {
  const able = modelsFor(models.value, draft.value.kind);
  const providers = [...new Set(able.map((one) => one.provider))];
  return providers.map((provider) => ({
    label: named("provider", provider),
    options: able
      .filter((one) => one.provider === provider)
      .map(({ id, available }) => ({
        value: id,
        words: available === false ? say("composer.unavailable", named("model", id)) : named("model", id),
      })),
  }));
}

/** @param {string} name @param {string} value @param {any} options @param {(value: string) => void} onChange */
const choice = (name, value, options, onChange, label = name) => html`
  <${Choice}
    key=${name}
    name=${name}
    label=${say(`composer.${label}`)}
    value=${value}
    fault=${faults.value[name]}
    options=${options}
    onChange=${onChange}
  />
`;

/** What the model leaves open. @param {{ability: Ability}} props */
const OfModel = ({ ability }) => {
  const { kind } = draft.value;
  const { size, format, count, seconds } = fit.value;
  const { countField } = CHOICES.kinds[kind];
  const lengths = lengthsOf(ability, size);
  const offered = lengths.includes(seconds) ? lengths : [...lengths, seconds].sort((a, b) => a - b);
  return html`
    ${choice("size", size, sizesByShape(sizesOf(ability)), (value) => changeOfKind("size", value, "size"))}
    ${
      lengths.length
        ? choice(
            "duration_seconds",
            String(seconds),
            plain(offered, (value) => `${value} s`),
            (value) => change({ seconds: Number(value) }, "duration_seconds"),
            "length",
          )
        : null
    }
    ${
      ability.max_count > 1
        ? choice(
            countField,
            String(count),
            plain(numbersTo(ability.max_count)),
            (value) => changeOfKind("count", Number(value), countField),
            "count",
          )
        : null
    }
    ${
      ability.formats.length > 1
        ? choice("format", format, plain(ability.formats), (value) => changeOfKind("format", value, "format"))
        : null
    }
  `;
};

/** @param {{withInput: boolean, onWantInput: () => void}} props */
export const Choices = ({ withInput, onWantInput }) => {
  const { kind, style, quality } = draft.value;
  const ability = abilityOf(model.value, kind);
  return html`
    <div class="choices">
      <${Kinds} />
      ${choice(
        "style",
        style,
        plain(["", ...CHOICES.styles], (name) => say(`style.${name}`)),
        (value) => change({ style: value }, "style"),
      )}
      ${ability ? html`<${OfModel} ability=${ability} />` : null}
      ${choice(
        "quality",
        quality,
        plain(CHOICES.qualities, (name) => say(`quality.${name}`)),
        (value) => change({ quality: value }, "quality"),
      )}
      ${
        model.value
          ? choice("model", model.value.id, modelsByProvider(), (value) => changeOfKind("model", value, "model"))
          : null
      }
      ${
        withInput || model.value?.input_image === false
          ? null
          : html`<button type="button" class="chip dashed" onClick=${onWantInput}>
              <${Icon} name="plus" />${say("composer.input")}
            </button>`
      }
    </div>
  `;
};
