/** Now: the running jobs, the last results, and what failed until it is put away. */
import { useState } from "../../vendor/preact-hooks.js";
import { html } from "../base/html.js";
import { say } from "../base/words.js";
import { JobCard } from "../parts/job-card.js";
import { dismissEnded, isOpen, running, shown } from "../store/jobs.js";
import { line } from "../store/session.js";

const FEW = 9;

/** @param {{open?: boolean}} props  open: only what still runs */
export const Now = ({ open = false }) => {
  const [all, setAll] = useState(false);
  const jobs = open ? shown.value.filter(isOpen) : shown.value;
  if (jobs.length === 0) return null;
  const hidden = Math.max(0, jobs.length - FEW);
  return html`
    <section class="now" aria-labelledby="now-title">
      <div class="section-head">
        <h2 id="now-title">${say("now.title")}</h2>
        <span class="muted">
          ${running.value > 0 ? say("now.running", running.value) : null}
          ${running.value > 0 && line.value === "live" ? html`<span class="spare"> · ${say("now.live")}</span>` : null}
        </span>
        ${
          jobs.some((job) => !isOpen(job))
            ? html`<button type="button" class="plain" onClick=${dismissEnded}>${say("now.clear")}</button>`
            : null
        }
      </div>
      <ul class="jobs">
        ${jobs.slice(0, all ? jobs.length : FEW).map((job) => html`<li key=${job.id}><${JobCard} job=${job} /></li>`)}
      </ul>
      ${
        hidden > 0
          ? html`<button type="button" class="plain" onClick=${() => setAll(!all)}>
              ${all ? say("now.fewer") : say("now.more", hidden)}
            </button>`
          : null
      }
    </section>
  `;
};
