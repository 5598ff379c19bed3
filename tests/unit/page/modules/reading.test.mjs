/** What the server says, read: shapes, placeholders, and jobs that only move forward. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { generation, mediaFile, safeUrl } from "../../../../services/gateway/static/js/base/shapes.js";
import { decode } from "../../../../services/gateway/static/js/base/thumbhash.js";
import { jobs, take, takeOpen } from "../../../../services/gateway/static/js/store/jobs.js";

const said = (seq, status, progress, more = {}) => ({
  job_id: "j1", kind: "image", status, stage: null, progress, seq, created_at: "2026-01-01T00:00:00Z", ...more,
});

test("a placeholder has the colours and the shape of its picture", () => {
  const { width, height, pixels } = decode("XwcKlZh4eHhwiHiIiHiIh3CFCPd3");
  assert.deepEqual([width, height], [16, 11]);
  assert.deepEqual([...pixels.slice(0, 4)], [14, 34, 255, 255]);
  assert.throws(() => decode("AA=="));
});

test("an address that runs something is none", () => {
  for (const bad of ["javascript:alert(1)", "data:text/html,x", "//evil.example/x", null, 4]) assert.equal(safeUrl(bad), "");
  for (const good of ["https://a.example/x", "/media/t/x.png"]) assert.equal(safeUrl(good), good);
});

test("what is to come is told by its date", async () => {
  globalThis.document = { documentElement: {} };
  const { moment } = await import("../../../../services/gateway/static/js/base/format.js");
  const day = 86_400_000;
  assert.match(moment(Date.now()), /^Today/);
  assert.match(moment(Date.now() - day), /^Yesterday/);
  for (const days of [-90, -1, 5]) assert.doesNotMatch(moment(Date.now() - days * day), /day/);
});

test("a file is read from rows and from events alike", () => {
  const row = mediaFile({ id: "f", fileUrl: "/media/t/a.png", width: 4, height: 2, fileSize: 9, thumbnails: [{ width: 1, url: "javascript:x" }] }, null);
  const event = mediaFile({ id: "f", url: "/media/t/a.png", filename: "a.png", width: 4, height: 2, size_bytes: 9 }, null);
  assert.deepEqual(row, event);
});

test("a row of a backend, without measures or model, is shown too", () => {
  const one = generation({ id: "g", kind: "image", prompt: "p", status: "COMPLETED", createdAt: "2026-01-01T00:00:00Z", size: "512x256", source: "backend-direct", images: [{ id: "f", fileUrl: "https://b.example/x.png" }] });
  assert.deepEqual([one.fromBackend, one.files[0].width, one.files[0].height, one.model], [true, 512, 256, null]);
});

test("a job only moves forward", () => {
  jobs.value = new Map();
  assert.ok(take(said(1, "PENDING", 0, { prompt: "p" })));
  assert.ok(take(said(3, "GENERATING", 60)));
  assert.equal(take(said(2, "GENERATING", 25)), null);
  assert.equal(jobs.value.get("j1").progress, 60);
  assert.equal(jobs.value.get("j1").prompt, "p");
  assert.ok(take(said(4, "COMPLETED", 100)));
  assert.equal(take(said(5, "GENERATING", 90)), null);
  assert.equal(jobs.value.get("j1").status, "COMPLETED");
});

test("a job whose end was told before the answer to its request still says what was asked", () => {
  jobs.value = new Map();
  take(said(4, "FAILED", 25));
  assert.equal(jobs.value.get("j1").prompt, null);
  take({ ...said(undefined, "PENDING", 0, { prompt: "p", model: "m" }), seq: undefined });
  const { prompt, model, status } = jobs.value.get("j1");
  assert.deepEqual([prompt, model, status], ["p", "m", "FAILED"]);
});

test("a backend's own message is told, the usual words of a stage are not", () => {
  jobs.value = new Map();
  take(said(1, "GENERATING", 25, { message: "Initialisation du modèle..." }));
  assert.equal(jobs.value.get("j1").message, null);
  take(said(2, "GENERATING", 40, { message: "frame 38 of 96" }));
  assert.equal(jobs.value.get("j1").message, "frame 38 of 96");
});

test("what only a route tells is taken from it while the job is open", () => {
  jobs.value = new Map();
  take(said(1, "PENDING", 0));
  take({ ...said(undefined, "PENDING", 0), seq: undefined, queue_position: 3, eta_seconds: 9 });
  const { position, readyAt } = jobs.value.get("j1");
  assert.equal(position, 3);
  assert.ok(Math.abs(readyAt - Date.now() - 9_000) < 1_000);
});

test("a job that is open here and not there any more is asked about", () => {
  jobs.value = new Map();
  take(said(1, "GENERATING", 25));
  assert.deepEqual(takeOpen([]).map((job) => job.id), ["j1"]);
  assert.deepEqual(takeOpen([said(1, "GENERATING", 25)]), []);
});
