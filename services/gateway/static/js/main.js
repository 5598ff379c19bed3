/** The page's beginning: who is there, then the gallery and the stream. */
import { render } from "../vendor/preact.js";
import { effect, untracked } from "../vendor/signals.js";
import { ApiError, whoAmI } from "./api.js";
import { App } from "./components/app.js";
import { change } from "./draft.js";
import { html } from "./html.js";
import * as library from "./library.js";
import { line, routeOf, session, signedOut, view } from "./state.js";
import "./watch.js";

/** Find out who is there; without an answer, ask again until there is one. */
export async function arrive() {
  try {
    await whoAmI();
    session.value = "in";
  } catch (error) {
    if (/** @type {ApiError} */ (error).status === 401) signedOut();
    else {
      line.value = "lost";
      setTimeout(arrive, 2_000);
    }
  }
}

function route() {
  const { view: wanted, kind } = routeOf(location.pathname);
  view.value = wanted;
  if (kind) change({ kind });
}

route();
window.addEventListener("popstate", route);
effect(() => {
  if (session.value === "in") untracked(() => void library.restart());
});
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("page")));
void arrive();
