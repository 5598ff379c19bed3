/** What may be asked for: the API's rules and what a model can do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenModel, costOf, fitted, lengthsOf, sizesOf } from "../../../../services/gateway/static/js/base/abilities.js";
import { addressFault, faultsOf, fileFault, promptFault } from "../../../../services/gateway/static/js/base/rules.js";

const ability = { kind: "image", sizes: ["512x512", "1024x1024", "1280x720"], ratios: null, formats: ["PNG", "JPEG"], max_count: 2, durations: null };
const model = { id: "m", provider: "p", kinds: ["image"], default_for: [], input_image: true, seed: true, abilities: [ability] };
const draft = {
  kind: "image",
  size: { image: "1280x720", video: "1280x720" },
  format: { image: "AVIF", video: "MP4" },
  count: { image: 4, video: 1 },
  seconds: 4,
};

test("a prompt is judged as the API judges it", () => {
  assert.equal(promptFault("un chat 🐈"), null);
  assert.equal(promptFault(" \u200b\n"), "field.prompt_empty");
  assert.equal(promptFault("x".repeat(10_001)), "field.prompt_too_long");
  // Characters count, not the two halves of which each of these consists.
  assert.equal(promptFault("🐈".repeat(10_000)), null);
  assert.equal(promptFault("a\u0007b"), "field.prompt_control_character");
  assert.equal(promptFault("a\ud800"), "field.prompt_not_unicode");
  assert.equal(promptFault("line\nline\ttab"), null);
});

test("an address is one of the web, of ours, or an upload", () => {
  for (const good of ["", "https://a.example/x.png", "/media/t/x.png", "upload:c1"]) assert.equal(addressFault(good), null);
  assert.equal(addressFault("ftp://a.example"), "field.url_scheme");
  assert.equal(addressFault(`https://${"a".repeat(2_048)}`), "field.url_too_long");
});

test("every fault is found at once", () => {
  assert.deepEqual(Object.keys(faultsOf({ prompt: "", input_image_url: "javascript:alert(1)" })), ["prompt", "input_image_url"]);
});

test("a file is a picture of a size that is taken", () => {
  assert.equal(fileFault({ type: "image/png", size: 10 }), null);
  assert.equal(fileFault({ type: "image/svg+xml", size: 10 }), "field.content_type_not_allowed");
  assert.equal(fileFault({ type: "image/png", size: 11_000_000 }), "field.size_bytes_out_of_range");
});

test("a draft is brought within what the model can do", () => {
  assert.deepEqual(fitted(draft, model), { size: "1280x720", format: "PNG", count: 2, seconds: 4 });
});

test("sizes are those of the shapes that the model makes", () => {
  assert.deepEqual(sizesOf({ ...ability, ratios: ["16:9"] }), ["1280x720"]);
  assert.deepEqual(sizesOf({ ...ability, ratios: ["21:9"] }), ability.sizes);
});

test("lengths are the model's, or a few within its range", () => {
  assert.deepEqual(lengthsOf({ ...ability, durations: [4, 6, 8] }, "1280x720"), [4, 6, 8]);
  assert.deepEqual(lengthsOf({ ...ability, durations: { least: 1, most: 6 } }, "1280x720"), [1, 2, 4, 6]);
  assert.deepEqual(lengthsOf({ ...ability, durations: [4, 6, 8], tall_durations: [8] }, "1920x1080"), [8]);
});

test("a cost is told by the medium, the second or the job, and only where it is known", () => {
  const priced = (unit) => ({ ...model, price: { amount: "0.10", unit, currency: "USD" } });
  assert.deepEqual(["medium", "second", "job"].map((unit) => costOf(priced(unit), 2, 4).amount), [0.2, 0.8, 0.1]);
  assert.equal(costOf(model, 2, 4), null);
});

test("the chosen model, else the default, else any", () => {
  const usual = { ...model, id: "usual", default_for: ["image"] };
  assert.equal(chosenModel([model, usual], "image", "m")?.id, "m");
  assert.equal(chosenModel([model, usual], "image", "gone")?.id, "usual");
  assert.equal(chosenModel([], "image", ""), null);
});
