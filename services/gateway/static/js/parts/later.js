/** A view that few people open: it is fetched when somebody does. */
import { useEffect, useState } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";
import { Failed, Loading } from "./states.js";

/** @param {{fetch: () => Promise<any>}} props  answers the component */
export const Later = ({ fetch }) => {
  const [View, setView] = useState(/** @type {any} */ (null));
  const [failed, setFailed] = useState(false);
  const load = () => {
    setFailed(false);
    fetch().then(
      (view) => setView(() => view),
      () => setFailed(true),
    );
  };
  useEffect(load, []);
  if (failed) return html`<${Failed} again=${load} />`;
  return View ? html`<${View} />` : html`<${Loading} />`;
};
