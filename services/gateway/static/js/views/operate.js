/** The operator's page: what waits, what lags, what was put aside, and what stands still. */
import { html } from "../base/html.js";
import { DeadLetters } from "./operate/dead-letters.js";
import { Health } from "./operate/health.js";
import { Orphans } from "./operate/orphans.js";
import { Queues } from "./operate/queues.js";

export const Operate = () => html`
  <div class="column wide">
    <${Health} />
    <${Queues} />
    <${DeadLetters} />
    <${Orphans} />
  </div>
`;
