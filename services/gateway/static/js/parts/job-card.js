/** One job: what was asked, where it stands, and what can be done when it ended. */
import { useEffect } from "../../vendor/preact-hooks.js";
import { at, post } from "../base/api.js";
import { keepTicking, now, second } from "../base/clock.js";
import { failureInWords, isHopeless, isOfModel, reasonsInWords } from "../base/failures.js";
import { bytes, dimensions, duration, named, percent } from "../base/format.js";
import { html } from "../base/html.js";
import { go } from "../base/places.js";
import { generation as generationFrom, generationOfJob } from "../base/shapes.js";
import { say } from "../base/words.js";
import { askedFor } from "../store/asked.js";
import { reopen } from "../store/draft.js";
import { detail, items, waiting } from "../store/gallery.js";
import { cancelling, dismiss, isOpen, take } from "../store/jobs.js";
import { editAgain, zipOf } from "../store/library.js";
import { opened } from "../store/opened.js";
import { attempt } from "../store/session.js";
import { retry } from "../store/submit.js";
import { IconButton } from "./buttons.js";
import { CopyButton } from "./copy-button.js";
import { Disclosure } from "./disclosure.js";
import { savingOf } from "./generation-actions.js";
import { Icon } from "./icons.js";
import { Later } from "./later.js";
import { Placeholder } from "./media.js";

/** @typedef {import("../types.js").Job} Job */
/** @typedef {import("../types.js").Generation} Generation */

const FEW = 4;

/** What is being done, in words. @param {Job} job */
function stageInWords({ kind, status, stage, position, cancelling: ending }) {
  if (ending) return say("job.cancelling");
  if (status === "PENDING") return position && position > 1 ? say("job.position", position) : say("job.waiting");
  if (stage === "initializing") return say("job.initializing");
  return say(stage === "saving" ? `job.saving.${kind}` : "job.generating");
}

/** @param {{job: Job, what: string}} props */
const Running = ({ job, what }) => {
  useEffect(keepTicking, []);
  void second.value;
  const left = job.readyAt === null ? 0 : job.readyAt - now();
  const bar = { transform: `scaleX(${job.progress / 100})` };
  return html`
    <p class="facts muted figure">
      <span>${stageInWords(job)}</span>
      ${job.message ? html`<span dir="auto">${job.message}</span>` : null}
      ${job.status === "PENDING" ? null : html`<span>${percent(job.progress)}</span>`}
      <span>${say("job.elapsed", duration(now() - job.createdAt, true))}</span>
      ${left > 1_000 ? html`<span>${say("job.left", duration(left, true))}</span>` : null}
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

/** @param {string} id */
async function cancel(id) {
  cancelling(id);
  const done = await attempt(async () => take(await post(at`/api/jobs/${id}/cancel`)));
  if (!done) cancelling(id, false);
}

/** Back into the composer with everything that was asked. @param {Job} job */
async function edit(job) {
  const before = askedFor(job.id);
  if (before) {
    go("/");
    reopen(before.kind, before.body);
  } else {
    await attempt(async () => editAgain(generationFrom(await detail(job.id)), false));
  }
}

/** @param {Job} job */
const again = (job) =>
  attempt(async () => {
    take({ ...(await retry(job.id)), kind: job.kind, prompt: job.prompt, model: job.model });
    dismiss([job.id]);
  });

/** @param {{id: string, known: string}} props */
const History = ({ id, known }) => html`
  <${Disclosure} words=${say("attempts.title")}>
    <${Later} fetch=${async () => (await import("./attempts.js")).Attempts} given=${{ id, known }} />
  <//>
`;

/** @param {{job: Job}} props */
const Ended = ({ job }) => {
  const { id, failure, status } = job;
  const failed = status === "FAILED";
  const reasons = failed ? reasonsInWords(failure?.filtered) : null;
  return html`
    <p class=${failed ? "bad" : "muted"}>${failed ? failureInWords(failure) : say("job.cancelled")}</p>
    ${reasons ? html`<p class="muted" dir="auto">${reasons}</p>` : null}
    ${failed && !reasons && failure?.provider_words ? html`<p class="muted provider-words" dir="auto">${say("quoted", failure.provider_words)}</p>` : null}
    <div class="job-actions">
      <button type="button" class="plain accent" onClick=${() => void edit(job)}>
        ${say(isOfModel(failure) ? "job.otherModel" : "job.edit")}
      </button>
      ${
        isHopeless(failure)
          ? null
          : html`<button type="button" class="plain accent" onClick=${() => void again(job)}>${say("job.again")}</button>`
      }
      ${failed ? html`<${History} id=${id} known=${failureInWords(failure)} />` : null}
    </div>
  `;
};

/** @param {{generation: Generation}} props */
const Done = ({ generation }) => {
  const { id, completedAt, createdAt, model, files } = generation;
  const weight = files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
  const facts = [
    completedAt === null ? null : say("job.done", duration(completedAt - createdAt)),
    model ? named("model", model) : null,
    files[0] ? dimensions(`${files[0].width}x${files[0].height}`) : null,
    weight ? bytes(weight) : null,
  ];
  const saving = files.length > 1 ? { href: zipOf([id]), download: true } : files[0] && savingOf(files[0]);
  return html`
    <p class="facts muted figure">${facts.filter(Boolean).map((fact) => html`<span>${fact}</span>`)}</p>
    ${
      files[0]
        ? html`<p class="job-actions">
            <a class="plain accent" rel="noopener" ...${saving}>
              ${say(files.length > 1 ? "media.downloadAll" : "media.download")}
            </a>
            <${CopyButton} text=${new URL(files[0].url, location.href).href} words=${say("media.copy")} done=${say("media.copied")} />
          </p>`
        : null
    }
  `;
};

/** @param {{job: Job, generation: Generation, what: string}} props */
const Thumbs = ({ job, generation, what }) => {
  if (job.status === "FAILED" || job.status === "CANCELLED") {
    return html`<span class="thumb failed"><${Icon} name=${job.status === "FAILED" ? "warning" : "stop"} /></span>`;
  }
  const files = generation.files.slice(0, FEW);
  if (files.length === 0) {
    return html`<span class="thumb waiting">
      ${
        job.preview
          ? html`<img class="glimpse" src=${job.preview} alt="" />`
          : html`<${Icon} name=${job.kind === "video" ? "play" : "picture"} />`
      }
    </span>`;
  }
  return html`<div class=${`thumbs of-${files.length}`}>
    ${files.map(
      (file, index) => html`
        <button
          type="button"
          class="thumb"
          aria-label=${files.length > 1 ? say("media.openOf", what, index + 1, generation.files.length) : say("media.open", what)}
          onClick=${() => (opened.value = { generation, index })}
        >
          ${file.placeholder ? html`<${Placeholder} hash=${file.placeholder} />` : null}
          <img src=${file.smaller[0]?.url ?? file.poster ?? file.url} alt="" />
          ${job.kind === "video" ? html`<span class="thumb-play"><${Icon} name="play" /></span>` : null}
        </button>
      `,
    )}
  </div>`;
};

/** @param {{job: Job}} props */
export const JobCard = ({ job }) => {
  const inGallery = [...items.value, ...waiting.value].find((item) => item.id === job.id);
  const what = job.prompt ?? inGallery?.prompt ?? say(`job.unknown.${job.kind}`);
  const generation = inGallery ?? generationOfJob({ ...job, prompt: what });
  return html`
    <article class=${`job ${job.status.toLowerCase()}`}>
      <${Thumbs} job=${job} generation=${generation} what=${what} />
      <div class="job-text">
        <div class="job-head">
          <h3 title=${what.slice(0, 400)} dir="auto">${what}</h3>
          ${
            isOpen(job)
              ? html`<button
                  type="button"
                  class="plain"
                  disabled=${job.cancelling}
                  aria-label=${say("job.cancelOf", what)}
                  onClick=${() => void cancel(job.id)}
                >
                  ${say("job.cancel")}
                </button>`
              : html`<${IconButton} icon="close" look="small" label=${say("job.dismiss")} onClick=${() => dismiss([job.id])} />`
          }
        </div>
        ${isOpen(job) ? html`<${Running} job=${job} what=${what} />` : null}
        ${job.status === "FAILED" || job.status === "CANCELLED" ? html`<${Ended} job=${job} />` : null}
        ${job.status === "COMPLETED" ? html`<${Done} generation=${generation} />` : null}
      </div>
    </article>
  `;
};
