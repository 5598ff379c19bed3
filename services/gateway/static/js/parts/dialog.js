/** A question over the page: the browser's own modal dialog, which keeps the focus inside and gives it back. */
import { useLayoutEffect, useRef } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { IconButton } from "./buttons.js";

/** @param {{title: string, onClose: () => void, children: any, look?: string}} props */
export const Dialog = ({ title, onClose, children, look = "" }) => {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayoutEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    dialog.current?.showModal();
    return () => {
      dialog.current?.close();
      before?.focus?.();
    };
  }, []);
  return html`
    <dialog
      class=${`sheet ${look}`}
      ref=${dialog}
      aria-label=${title}
      onCancel=${(/** @type {Event} */ event) => {
        event.preventDefault();
        onClose();
      }}
      onClick=${(/** @type {MouseEvent} */ event) => event.target === dialog.current && onClose()}
    >
      <div class="sheet-inside">
        <div class="sheet-head">
          <h2>${title}</h2>
          <${IconButton} icon="close" label=${say("close")} onClick=${onClose} />
        </div>
        ${children}
      </div>
    </dialog>
  `;
};
