/** Line icons, drawn on a grid of 24; they take the colour of the text beside them. */
import { html } from "../html.js";

/** @param {string} path @param {string} [name] */
const icon = (path, name = "") => html`
  <svg class=${`icon ${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${path} /></svg>
`;

export const Download = () => icon("M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M5 19.5h14");
export const Link = () =>
  icon("M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1");
export const Copy = () => icon("M9 9h10.5v10.5H9zM5 15H4.5V4.5H15V5");
export const Check = () => icon("m5 12.5 4.5 4.5L19 7.5");
export const Close = () => icon("m6 6 12 12M18 6 6 18");
export const Left = () => icon("m14.5 5-7 7 7 7");
export const Right = () => icon("m9.5 5 7 7-7 7");
export const Play = () => icon("M8 5.5v13l10.5-6.5z", "solid");
export const Picture = () => icon("M4 5.5h16v13H4zM4 16l4.5-4.5 4 4 3-3L20 17M15.5 9.5h.01");
export const Plus = () => icon("M12 5v14M5 12h14");
export const Up = () => icon("M12 19V5m0 0-5.5 5.5M12 5l5.5 5.5");
export const Caret = () => icon("m7 10 5 5 5-5", "caret");
export const Leave = () => icon("M10 5H5.5v14H10M10 12h9m0 0-3.5-3.5M19 12l-3.5 3.5");
export const Warning = () => icon("M12 6.5v7m0 3.5h.01");

/** The mark: a sky with the sun about to rise. */
export const Mark = () => html`<img class="mark" src="/static/img/mark.svg" width="24" height="24" alt="" />`;
