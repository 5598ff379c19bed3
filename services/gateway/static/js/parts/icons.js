/** Line icons, drawn on a grid of 24; they take the colour of the text beside them. */
import { html } from "../base/html.js";

const PATHS = {
  album: "M4 7.5h16v12H4zM7 4.5h10",
  bell: "M6 16.5h12l-1.5-2.2V10a4.5 4.5 0 0 0-9 0v4.3zM10.3 19.5a2 2 0 0 0 3.4 0",
  caret: "m7 10 5 5 5-5",
  check: "m5 12.5 4.5 4.5L19 7.5",
  close: "m6 6 12 12M18 6 6 18",
  copy: "M9 9h10.5v10.5H9zM5 15H4.5V4.5H15V5",
  create: "M12 4v4m0 8v4m-8-8h4m8 0h4M7 7l2 2m6 6 2 2m0-10-2 2m-6 6-2 2",
  download: "M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M5 19.5h14",
  edit: "M5 19h3l10-10-3-3L5 16zM13.5 7.5l3 3",
  gallery: "M4 4.5h7v9H4zM13 4.5h7v5h-7zM13 11.5h7v8h-7zM4 15.5h7v4H4z",
  info: "M12 11v6m0-9.5h.01M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
  leave: "M10 5H5.5v14H10M10 12h9m0 0-3.5-3.5M19 12l-3.5 3.5",
  left: "m14.5 5-7 7 7 7",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  operate: "M5 19v-6m5 6V5m5 14v-9m5 9V8",
  picture: "M4 5.5h16v13H4zM4 16l4.5-4.5 4 4 3-3L20 17M15.5 9.5h.01",
  play: "M8 5.5v13l10.5-6.5z",
  plus: "M12 5v14M5 12h14",
  restore: "M5 9h9a5 5 0 0 1 0 10h-3M5 9l4-4M5 9l4 4",
  right: "m9.5 5 7 7-7 7",
  search: "M11 4.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM16 16l4 4",
  settings: "M4 7.5h9m5 0h2M4 16.5h2m5 0h9M13 7.5a2.5 2.5 0 1 0 5 0 2.5 2.5 0 0 0-5 0zM6 16.5a2.5 2.5 0 1 0 5 0 2.5 2.5 0 0 0-5 0z",
  share: "M12 15V4m0 0L8 8m4-4 4 4M6 12H5v8h14v-8h-1",
  star: "m12 4.5 2.3 4.9 5.2.7-3.8 3.7.9 5.3-4.6-2.6-4.6 2.6.9-5.3-3.8-3.7 5.2-.7z",
  stop: "M7 7h10v10H7z",
  trash: "M5 7h14M9.5 7V4.5h5V7M7 7l1 12.5h8L17 7M10.5 10.5v5.5M13.5 10.5v5.5",
  up: "M12 19V5m0 0-5.5 5.5M12 5l5.5 5.5",
  warning: "M12 6.5v7m0 3.5h.01",
};

/** @typedef {keyof typeof PATHS} IconName */

/** @param {{name: IconName, solid?: boolean}} props */
export const Icon = ({ name, solid = false }) => html`
  <svg class=${`icon is-${name} ${solid || name === "play" ? "solid" : ""}`} viewBox="0 0 24 24" aria-hidden="true">
    <path d=${PATHS[name]} />
  </svg>
`;

/** The mark: a sky with the sun about to rise. */
export const Mark = () => html`<img class="mark" src="/static/img/mark.svg" width="24" height="24" alt="" />`;
