/** The sign-in page: the ways that are configured, and what went wrong on the way here. */
import { render } from "../vendor/preact.js";
import { signal } from "../vendor/signals.js";
import { ApiError, post } from "./base/api.js";
import { Languages } from "./parts/languages.js";
import { Mark } from "./parts/icons.js";
import { html } from "./base/html.js";
import { placeOf } from "./base/places.js";
import "./store/prefs.js";
import { knows, say } from "./base/words.js";

const page = /** @type {HTMLElement} */ (document.getElementById("page"));
const ways = (page.dataset.ways ?? "").split(" ");
const returnTo = placeOf(new URLSearchParams(location.search).get("return_to") ?? "/");

const problem = signal({ code: page.dataset.problem ?? "", detail: "" });
const sending = signal(false);

/** @param {{code: string, detail: string}} what */
const wordsOf = ({ code, detail }) =>
  knows(`problem.${code}`) ? say(`problem.${code}`) : say("problem.other", detail || code);

/** @param {SubmitEvent} event */
async function withKey(event) {
  event.preventDefault();
  const field = /** @type {HTMLInputElement} */ (document.getElementById("key"));
  if (sending.value || !field.value.trim()) return field.focus();
  sending.value = true;
  try {
    await post("/signin/key", { key: field.value.trim() });
    location.replace(returnTo);
  } catch (error) {
    const { code, detail } = /** @type {ApiError} */ (error);
    problem.value = { code, detail };
    sending.value = false;
    field.select();
  }
}

const AtProvider = () => html`
  <a class="go-in" href=${`/signin/oidc?return_to=${encodeURIComponent(returnTo)}`}>${say("signin.oidc")}</a>
`;

const WithKey = () => html`
  <form class="key-form" onSubmit=${withKey}>
    <label for="key">${say("signin.key")}</label>
    <input
      id="key"
      type="password"
      autocomplete="current-password"
      spellcheck=${false}
      placeholder="sk_sorami_…"
      aria-describedby=${problem.value.code ? "problem" : null}
    />
    <button type="submit" class="go-in" disabled=${sending.value}>${say("signin.go")}</button>
  </form>
`;

const WithLink = () => html`
  <p>${say("out.text")}</p>
  <code>make run</code>
  <p>${say("out.new")}</p>
  <code>sorami link</code>
`;

const SignIn = () => html`
  <header class="top"><nav></nav><${Languages} /></header>
  <main>
    <section class="out" aria-labelledby="title">
      <${Mark} />
      <h1 id="title">${say("signin.title")}</h1>
      ${problem.value.code ? html`<p class="fault" id="problem" role="alert">${wordsOf(problem.value)}</p>` : null}
      ${ways.includes("oidc") ? html`<${AtProvider} />` : null}
      ${ways.includes("key") ? html`<${WithKey} />` : null}
      ${ways.includes("link") ? html`<${WithLink} />` : null}
    </section>
  </main>
`;

render(html`<${SignIn} />`, page);
