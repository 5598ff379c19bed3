/** The API page, written from the service's own description. */
import { render } from "../../vendor/preact.js";
import { signal } from "../../vendor/signals.js";
import { get } from "../base/api.js";
import { Header } from "../parts/header.js";
import "../store/prefs.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { Reader } from "./reader.js";
import { Docs } from "./view.js";

/** @type {import("../../vendor/signals.js").Signal<any>} */
const document_ = signal(null);
const failed = signal(false);

async function load() {
  failed.value = false;
  try {
    document_.value = await get("/openapi.json");
  } catch {
    failed.value = true;
  }
}

/** What an address points at exists only once it is drawn. */
function goToFragment() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  target?.scrollIntoView();
}

const Body = () => {
  if (failed.value) {
    return html`<p class="quiet" role="alert">
      ${say("docs.failed")} <button type="button" class="plain accent" onClick=${load}>${say("again")}</button>
    </p>`;
  }
  if (!document_.value) return html`<p class="quiet" aria-busy="true"></p>`;
  const { info } = document_.value;
  return html`<${Docs}
    title=${info.title}
    version=${info.version}
    description=${info.description ?? ""}
    groups=${new Reader(document_.value).groups()}
  />`;
};

render(
  html`<${Header} inPage=${false} />
    <main><${Body} /></main>`,
  /** @type {HTMLElement} */ (document.getElementById("page")),
);
await load();
requestAnimationFrame(() => requestAnimationFrame(goToFragment));
