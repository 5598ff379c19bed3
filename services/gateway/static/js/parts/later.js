/** What is not needed at first: it is fetched when somebody opens it. */
import { useEffect, useState } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";
import { Failed, Loading } from "./states.js";

/** @param {{fetch: () => Promise<any>, given?: object, quiet?: boolean}} props  `fetch` answers the component, which is given `given`; quiet: nothing stands in for it */
export const Later = ({ fetch, given = {}, quiet = false }) => {
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
  if (View) return html`<${View} ...${given} />`;
  return quiet ? null : html`<${Loading} />`;
};
