/** How an API is read: the calls, each with a line to try, its fields and its answers; a list of them beside. */
import { CopyLine } from "./copy.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";

/** @typedef {import("./reader.js").Field} Field */
/** @typedef {import("./reader.js").Operation} Operation */

/** Where the list has room beside the text it is open; above it, it would push the text away. As docs.css. */
const BESIDE = matchMedia("(min-width: 881px)");

/** @param {string} type */
const typeInWords = (type) =>
  type.replace(/^list (\w+)/, (_, of) => say("docs.list", of)).replace(/ null$/, ` ${say("docs.orNull")}`);

const asCode = (/** @type {string} */ text) => html`<code>${text}</code>`;

/** A sentence in which `…` stands for code. @param {string} text */
const sentence = (text) => text.split("`").map((piece, index) => (index % 2 ? asCode(piece) : piece));

/** @param {{fields: Field[]}} props */
const Fields = ({ fields }) => html`
  <ul class="fields">
    ${fields.map(
      (field) => html`
        <li>
          <div class="field-head">
            <code>${field.name}</code>
            <span class="muted">${typeInWords(field.type)}</span>
            ${field.required ? html`<span class="warm">${say("docs.required")}</span>` : null}
            ${field.facts.map(({ words, values }) => html`<span class="muted">${say(words, ...values)}</span>`)}
          </div>
          ${field.description ? html`<p>${sentence(field.description)}</p>` : null}
          ${field.choices.length ? html`<p class="choices-of">${field.choices.map(asCode)}</p>` : null}
          ${field.fields.length ? html`<${Fields} fields=${field.fields} />` : null}
        </li>
      `,
    )}
  </ul>
`;

/** @param {{operation: Operation}} props */
const Call = ({ operation }) => html`
  <article class="operation" id=${operation.id} tabindex="-1">
    <h3>${operation.summary}</h3>
    <p class="route">
      <span class=${`method ${operation.method.toLowerCase()}`}>${operation.method}</span>
      <code>${operation.path}</code>
    </p>
    ${operation.description ? html`<p>${sentence(operation.description)}</p>` : null}
    <div class="try">
      <pre tabindex="0" role="group" aria-label=${say("docs.try")}><code>${operation.call}</code></pre>
      <${CopyLine} text=${operation.call} />
    </div>
    ${
      operation.parameters.length
        ? html`<details open>
            <summary>${say("docs.parameters")}</summary>
            <${Fields} fields=${operation.parameters} />
          </details>`
        : null
    }
    ${
      operation.body?.fields.length
        ? html`<details open>
            <summary>${say("docs.body")}</summary>
            <${Fields} fields=${operation.body.fields} />
          </details>`
        : null
    }
    <details>
      <summary>
        ${say("docs.answers")} <span class="muted">${operation.answers.map((answer) => answer.status).join(", ")}</span>
      </summary>
      ${operation.answers.map(
        (answer) => html`
          <div class="answer">
            <p>
              <strong class="figure">${answer.status}</strong> <span>${sentence(answer.description)}</span>
              <span class="muted">${answer.media}</span>
            </p>
            ${answer.fields.length ? html`<${Fields} fields=${answer.fields} />` : null}
          </div>
        `,
      )}
    </details>
  </article>
`;

/** @typedef {{tag: string, operations: Operation[]}} Group */

/** @param {{title: string, description: string, version: string, groups: Group[]}} props */
export const Docs = ({ title, description, version, groups }) => html`
  <div class="docs">
    <nav class="contents" aria-label=${say("docs.contents")}>
      <details open=${BESIDE.matches}>
        <summary>${say("docs.contents")}</summary>
        ${groups.map(
          ({ tag, operations }) => html`
            <h2>${tag}</h2>
            <ul>
              ${operations.map((operation) => html`<li><a href=${`#${operation.id}`}>${operation.summary}</a></li>`)}
            </ul>
          `,
        )}
      </details>
    </nav>
    <div class="reading">
      <h1>${title} <span class="muted">${version}</span></h1>
      <p class="lead">${description}</p>
      <p>${say("docs.intro")} <a href="/openapi.json">openapi.json</a></p>
      <section class="operation">
        <h2>${say("docs.auth")}</h2>
        <p>${say("docs.authText")}</p>
        <div class="try">
          <pre tabindex="0" role="group" aria-label=${say("docs.try")}><code>eval "$(sorami env)"</code></pre>
          <${CopyLine} text='eval "$(sorami env)"' />
        </div>
        <p><code>Authorization: Bearer $SORAMI_TOKEN</code></p>
      </section>
      ${groups.map(
        ({ tag, operations }) => html`
          <section aria-labelledby=${`tag-${tag}`}>
            <h2 id=${`tag-${tag}`}>${tag}</h2>
            ${operations.map((operation) => html`<${Call} key=${operation.id} operation=${operation} />`)}
          </section>
        `,
      )}
    </div>
  </div>
`;
