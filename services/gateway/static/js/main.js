/** The page's beginning: who is there, then the gallery and the stream. */
import { render } from "../vendor/preact.js";
import { effect, untracked } from "../vendor/signals.js";
import { html } from "./base/html.js";
import { place, watchPlaces } from "./base/places.js";
import { language } from "./base/words.js";
import { startWatching } from "./live/watch.js";
import { change } from "./store/draft.js";
import { filtersOf, restart } from "./store/gallery.js";
import { loadAlbums } from "./store/library.js";
import { followModels } from "./store/models.js";
import "./store/prefs.js";
import { arrive, session } from "./store/session.js";
import { App } from "./views/app.js";

watchPlaces();
// An address that names a kind chooses it.
effect(() => {
  const { kind } = place.value;
  if (kind) untracked(() => change({ kind }));
});
// The gallery shows what the address asks for; on the create page it shows everything.
effect(() => {
  const { view, query } = place.value;
  if (session.value !== "in" || (view !== "create" && view !== "gallery")) return;
  untracked(() => void restart(filtersOf(query)));
  if (query.has("album")) void untracked(loadAlbums);
});
effect(() => {
  void language.value;
  return session.value === "in" ? untracked(followModels) : undefined;
});
startWatching();
const root = /** @type {HTMLElement} */ (document.getElementById("page"));
// What stood there until now was drawn by the server, for the first moment.
root.replaceChildren();
render(html`<${App} />`, root);
void arrive();
