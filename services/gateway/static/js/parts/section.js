/** A titled section of a page of settings or tables. */
import { html } from "../base/html.js";

/** @param {{id: string, title: string, text?: string, action?: any, children: any}} props */
export const Section = ({ id, title, text, action, children }) => html`
  <section class="section" aria-labelledby=${`${id}-title`} id=${id}>
    <div class="section-head">
      <h2 id=${`${id}-title`} tabindex="-1">${title}</h2>
      ${action ?? null}
    </div>
    ${text ? html`<p class="muted">${text}</p>` : null} ${children}
  </section>
`;

/** What had the focus went away: it goes on at the head of its section. @param {string} id */
export const keepFocus = (id) =>
  requestAnimationFrame(() => document.activeElement === document.body && document.getElementById(`${id}-title`)?.focus());

/**
 * A table that becomes cards on a narrow screen: every cell knows the name of its column.
 * @param {{label: string, columns: string[], rows: {key: string, cells: any[]}[]}} props
 */
export const Table = ({ label, columns, rows }) => html`
  <table class="table" aria-label=${label}>
    <thead>
      <tr>
        ${columns.map((column) => html`<th scope="col">${column}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ key, cells }) => html`
          <tr key=${key}>
            ${cells.map((cell, index) => html`<td data-column=${columns[index]}>${cell}</td>`)}
          </tr>
        `,
      )}
    </tbody>
  </table>
`;
