/** What interrupts: a line that is down. */
import { useEffect, useState } from "../../vendor/preact-hooks.js";
import { html } from "../html.js";
import { line, session } from "../state.js";
import { say } from "../words.js";

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
