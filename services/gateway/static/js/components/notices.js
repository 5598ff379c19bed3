/** What interrupts: a line that is down, a person who is signed out. */
import { useEffect, useState } from "../../vendor/preact-hooks.js";
import { html } from "../html.js";
import { line, session } from "../state.js";
import { say } from "../words.js";
import { Mark } from "./icons.js";

export const LineNotice = () => {
  const [offline, setOffline] = useState(!navigator.onLine);
  useEffect(() => {
    const look = () => setOffline(!navigator.onLine);
    window.addEventListener("online", look);
    window.addEventListener("offline", look);
    return () => {
      window.removeEventListener("online", look);
      window.removeEventListener("offline", look);
    };
  }, []);
  const lost = offline || (line.value === "lost" && session.value !== "out");
  const words = say(offline ? "line.offline" : "line.lost");
  return html`
    <div class="notice" role="status">
      ${lost ? html`<p><span class="dot" aria-hidden="true"></span>${words}</p>` : null}
    </div>
  `;
};

export const SignedOut = () => html`
  <section class="out" aria-labelledby="out-title">
    <${Mark} />
    <h1 id="out-title">${say("out.title")}</h1>
    <p>${say("out.text")}</p>
    <code>make run</code>
    <p>${say("out.new")}</p>
    <code>sorami link</code>
    <a class="chip" href="/">${say("out.again")}</a>
  </section>
`;
