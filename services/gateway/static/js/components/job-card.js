/** One job: what was asked, where it stands, and what can be done when it ended. */
import { useEffect } from "../../vendor/preact-hooks.js";
import * as asked from "../asked.js";
import { keepTicking, now, second } from "../clock.js";
import { reopen } from "../draft.js";
import { bytes, dimensions, duration, named, percent } from "../format.js";
import { html } from "../html.js";
import { dismiss, isOpen } from "../jobs.js";
import { items, waiting } from "../library.js";
import { generationOfJob } from "../shapes.js";
import { go, opened } from "../state.js";
import { send } from "../submit.js";
import { knows, say } from "../words.js";
import { Close, Picture, Play, Warning } from "./icons.js";
import { MediaActions } from "./media-actions.js";

/** @typedef {import("../types.js").Job} Job */

// Trying these again as they stand leads to the same end.
const HOPELESS = ["content_filtered", "invalid_input", "quota"];

/** What is being done, in words. @param {Job} job */
function stageInWords({ kind, status, stage }) {
  if (status === "PENDING") return say("job.waiting");
  if (stage === "initializing") return say("job.initializing");
  return say(stage === "saving" ? `job.saving.${kind}` : "job.generating");
}

/** Why it failed, in one human sentence, and whether it cost anything. @param {Job} job */
function failureInWords({ failure }) {
  if (!failure) return say("failure.internal");
  const aboutInput = failure.code === "invalid_input" && /^(input_image|url|upload)_/.test(failure.reason ?? "");
  const key = aboutInput ? "failure.input_image" : `failure.${failure.code}`;
  const why = knows(key) ? say(key) : say("failure.provider_error");
  return `${why} ${say(`charged.${failure.charged}`)}`;
}

/** @param {{job: Job, what: string}} props */
const Running = ({ job, what }) => {
  useEffect(keepTicking, []);
  void second.value;
  const elapsed = say("job.elapsed", duration(now() - job.createdAt, true));
  const bar = { transform: `scaleX(${job.progress / 100})` };
  return html`
    <p class="facts muted figure">
      <span>${stageInWords(job)}</span>
      <span>${percent(job.progress)}</span>
      <span>${elapsed}</span>
    </p>
    <div
      class="bar"
      role="progressbar"
      aria-label=${say("job.progress", what)}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${job.progress}
      aria-valuetext=${`${percent(job.progress)}, ${stageInWords(job)}`}
    >
      <div class="bar-done" style=${bar}></div>
    </div>
  `;
};

/** @param {{job: Job}} props */
const Failed = ({ job }) => {
  const request = asked.askedFor(job.id);
  const again = () => {
    if (!request) return;
    void send(request.kind, request.body).then((accepted) => {
      if (accepted) putAway(job.id);
    });
  };
  const edit = () => {
    if (!request) return;
    go("/");
    reopen(request.kind, request.body);
  };
  return html`
    <p class="bad">${failureInWords(job)}</p>
    ${
      request
        ? html`<p class="job-actions">
            <button type="button" class="plain accent" onClick=${edit}>${say("job.edit")}</button>
            ${
              HOPELESS.includes(job.failure?.code ?? "")
                ? null
                : html`<button type="button" class="plain accent" onClick=${again}>${say("job.again")}</button>`
            }
          </p>`
        : null
    }
  `;
};

/** @param {{generation: import("../types.js").Generation}} props */
const Done = ({ generation }) => {
  const { completedAt, createdAt, model, files } = generation;
  const weight = files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
  const facts = [
    completedAt === null ? null : say("job.done", duration(completedAt - createdAt)),
    model ? named("model", model) : null,
    files[0] ? dimensions(`${files[0].width}x${files[0].height}`) : null,
    weight ? bytes(weight) : null,
  ];
  return html`
    <p class="facts muted figure">${facts.filter(Boolean).map((fact) => html`<span>${fact}</span>`)}</p>
    ${files[0] ? html`<p class="job-actions"><${MediaActions} file=${files[0]} plain=${true} /></p>` : null}
  `;
};

/** @param {{job: Job, generation: import("../types.js").Generation, what: string}} props */
const Thumb = ({ job, generation, what }) => {
  if (job.status === "FAILED" || job.status === "CANCELLED") {
    return html`<span class="thumb failed"><${Warning} /></span>`;
  }
  const file = generation.files[0];
  if (!file)
    return html`<span class="thumb waiting">${job.kind === "video" ? html`<${Play} />` : html`<${Picture} />`}</span>`;
  return html`
    <button
      type="button"
      class="thumb"
      aria-label=${say("media.open", what)}
      onClick=${() => (opened.value = { generation, index: 0 })}
    >
      <img src=${file.poster ?? file.url} alt="" />
      ${job.kind === "video" ? html`<span class="thumb-play"><${Play} /></span>` : null}
    </button>
  `;
};

function putAway(/** @type {string} */ id) {
  asked.forget([id]);
  dismiss(id);
}

/** @param {{job: Job}} props */
export const JobCard = ({ job }) => {
  const request = asked.askedFor(job.id);
  const inGallery = [...items.value, ...waiting.value].find((item) => item.id === job.id);
  const what = String(request?.body.prompt ?? job.prompt ?? inGallery?.prompt ?? say(`job.unknown.${job.kind}`));
  const generation = inGallery ?? generationOfJob(job, request?.body ?? null, what);
  return html`
    <article class=${`job ${job.status.toLowerCase()}`}>
      <${Thumb} job=${job} generation=${generation} what=${what} />
      <div class="job-text">
        <div class="job-head">
          <h3 title=${what}>${what}</h3>
          ${
            isOpen(job)
              ? null
              : html`<button
                  type="button"
                  class="round small"
                  aria-label=${say("job.dismiss")}
                  onClick=${() => putAway(job.id)}
                >
                  <${Close} />
                </button>`
          }
        </div>
        ${isOpen(job) ? html`<${Running} job=${job} what=${what} />` : null}
        ${job.status === "FAILED" ? html`<${Failed} job=${job} />` : null}
        ${job.status === "CANCELLED" ? html`<p class="muted">${say("job.cancelled")}</p>` : null}
        ${job.status === "COMPLETED" ? html`<${Done} generation=${generation} />` : null}
      </div>
    </article>
  `;
};
