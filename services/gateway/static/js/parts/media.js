/** A picture or a film in its place: the place is kept while it loads, and says so when it cannot be shown. */
import { useLayoutEffect, useRef, useState } from "../../vendor/preact-hooks.js";
import { playTime } from "../base/format.js";
import { html } from "../base/html.js";
import { decode } from "../base/thumbhash.js";
import { say } from "../base/words.js";
import { Icon } from "./icons.js";

/** @typedef {import("../types.js").MediaFile} MediaFile */

const FADE_MS = 400;

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** @param {{url: string}} props */
export const Gone = ({ url }) => html`
  <span class="gone">
    <span>${say("media.gone")}</span>
    ${url ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${say("media.elsewhere")}</a>` : null}
  </span>
`;

/** The picture's colours, until it is there. @param {{hash: string}} props */
export const Placeholder = ({ hash }) => {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return;
    try {
      const { width, height, pixels } = decode(hash);
      element.width = width;
      element.height = height;
      const data = new ImageData(width, height);
      data.data.set(pixels);
      element.getContext("2d")?.putImageData(data, 0, 0);
    } catch {
      // A hash of somebody else's making: the plain ground stays.
    }
  }, [hash]);
  return html`<canvas class="placeholder" ref=${canvas} width="1" height="1" aria-hidden="true"></canvas>`;
};

/** The versions a browser may choose from. @param {MediaFile} file @param {boolean} film */
const versions = (file, film) => {
  const all = film ? file.smaller : [...file.smaller, { width: file.width, url: file.url }];
  return file.smaller.length ? all.map(({ url, width }) => `${url} ${width}w`).join(", ") : null;
};

/** @param {{file: MediaFile, film: boolean, alt: string, width: number, onError: () => void}} props */
const Still = ({ file, film, alt, width, onError }) => {
  const [there, setThere] = useState(false);
  const [covers, setCovers] = useState(false);
  const show = () => {
    // It is decoded: it is painted with the next frame.
    setThere(true);
    // Its colours stay beneath it until it has faded in.
    setTimeout(() => setCovers(true), FADE_MS);
  };
  return html`
    ${file.placeholder && !covers ? html`<${Placeholder} hash=${file.placeholder} />` : null}
    <img
      class=${there ? "there" : ""}
      sizes=${`${Math.ceil(width)}px`}
      srcset=${versions(file, film)}
      src=${film ? (file.poster ?? file.smaller.at(-1)?.url) : file.url}
      alt=${alt}
      loading="lazy"
      decoding="async"
      onLoad=${(/** @type {any} */ event) => event.target.decode().catch(() => null).then(show)}
      onError=${onError}
    />
  `;
};

/** A film: its poster and length; it plays without sound while it is pointed at or focused. */
const Film = (/** @type {{file: MediaFile, alt: string, width: number, active: boolean, onError: () => void}} */ props) => {
  const { file, alt, active, onError } = props;
  const [moves, setMoves] = useState(false);
  const playing = active && !still();
  const hasStill = file.poster || file.smaller.length > 0;
  return html`
    ${
      hasStill
        ? html`<${Still} ...${props} film=${true} />`
        : html`<video
            class="there"
            src=${`${file.url}#t=0.1`}
            preload="metadata"
            muted
            playsinline
            aria-label=${alt}
            onError=${onError}
          ></video>`
    }
    ${
      playing
        ? html`<video
            class=${moves ? "there" : ""}
            src=${file.url}
            autoplay
            muted
            loop
            playsinline
            preload="auto"
            aria-hidden="true"
            ref=${(/** @type {HTMLVideoElement | null} */ video) => video && (video.muted = true)}
            onPlaying=${() => setMoves(true)}
          ></video>`
        : null
    }
    ${file.seconds ? html`<span class="length"><${Icon} name="play" />${playTime(file.seconds)}</span>` : null}
  `;
};

/**
 * One tile of a card: a button that opens the large view, with the picture inside.
 * @param {{file: MediaFile, film: boolean, width: number, label: string, tabindex: number, onPress: (event: MouseEvent) => void}} props
 */
export const Tile = ({ file, film, width, label, tabindex, onPress }) => {
  const [failed, setFailed] = useState(false);
  const [active, setActive] = useState(false);
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  if (failed) return html`<${Gone} url=${file.url} />`;
  const onError = () => setFailed(true);
  return html`
    <button
      type="button"
      class="tile-open"
      ref=${button}
      tabindex=${tabindex}
      aria-label=${film && file.seconds ? `${label}, ${playTime(file.seconds)}` : label}
      onClick=${onPress}
      onPointerEnter=${(/** @type {PointerEvent} */ event) => event.pointerType === "mouse" && setActive(true)}
      onPointerLeave=${() => setActive(document.activeElement === button.current)}
      onFocus=${() => setActive(true)}
      onBlur=${() => setActive(false)}
    >
      ${
        film
          ? html`<${Film} file=${file} alt="" width=${width} active=${active} onError=${onError} />`
          : html`<${Still} file=${file} film=${false} alt="" width=${width} onError=${onError} />`
      }
    </button>
  `;
};
