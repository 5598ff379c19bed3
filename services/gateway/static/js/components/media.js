/** A picture or a film in its place: the place is kept while it loads, and says so when it cannot be shown. */
import { useRef, useState } from "../../vendor/preact-hooks.js";
import { playTime } from "../format.js";
import { html } from "../html.js";
import { say } from "../words.js";
import { Play } from "./icons.js";

/** @typedef {import("../types.js").MediaFile} MediaFile */

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** @param {{url: string}} props */
export const Gone = ({ url }) => html`
  <span class="gone">
    <span>${say("media.gone")}</span>
    ${url ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${say("media.elsewhere")}</a>` : null}
  </span>
`;

/** @param {{src: string, alt: string, onError: () => void}} props */
const FadingImage = ({ src, alt, onError }) => {
  const [there, setThere] = useState(false);
  return html`<img
    class=${there ? "there" : ""}
    src=${src}
    alt=${alt}
    loading="lazy"
    decoding="async"
    onLoad=${() => setThere(true)}
    onError=${onError}
  />`;
};

/** A film: its poster and length; it plays without sound while it is pointed at or focused. */
const Film = (/** @type {{file: MediaFile, alt: string, active: boolean, onError: () => void}} */ props) => {
  const { file, alt, active, onError } = props;
  const [moves, setMoves] = useState(false);
  const playing = active && !still();
  return html`
    ${
      file.poster
        ? html`<${FadingImage} src=${file.poster} alt=${alt} onError=${onError} />`
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
    ${file.seconds ? html`<span class="length"><${Play} />${playTime(file.seconds)}</span>` : null}
  `;
};

/**
 * One tile of a card: a button that opens the large view, with the picture inside.
 * @param {{file: MediaFile, film: boolean, alt: string, label: string, onOpen: () => void}} props
 */
export const Tile = ({ file, film, alt, label, onOpen }) => {
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
      aria-label=${film && file.seconds ? `${label}, ${playTime(file.seconds)}` : label}
      onClick=${onOpen}
      onPointerEnter=${(/** @type {PointerEvent} */ event) => event.pointerType === "mouse" && setActive(true)}
      onPointerLeave=${() => setActive(document.activeElement === button.current)}
      onFocus=${() => setActive(true)}
      onBlur=${() => setActive(false)}
    >
      ${
        film
          ? html`<${Film} file=${file} alt=${alt} active=${active} onError=${onError} />`
          : html`<${FadingImage} src=${file.url} alt=${alt} onError=${onError} />`
      }
    </button>
  `;
};
