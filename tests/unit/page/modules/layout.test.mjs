/** Where cards go, and which of them are made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { between, columns, lay, mosaic, place, step } from "../../../../services/gateway/static/js/base/layout.js";

const square = { width: 100, height: 100 };
const generation = (id, prompt = "x") => ({ id, prompt, files: [square] });

test("from one column on a phone to more on a wide screen", () => {
  assert.deepEqual([360, 700, 1000, 1300, 1900].map((width) => columns(width).count), [1, 2, 3, 4, 5]);
});

test("the newest is first and the next stands to its right", () => {
  const { spots } = place([100, 100, 100, 100, 100], columns(1300));
  assert.deepEqual(spots.slice(0, 4).map((spot) => spot.y), [0, 0, 0, 0]);
  assert.ok(spots.slice(1, 4).every((spot, index) => spot.x > spots[index].x));
  assert.deepEqual([spots[4].x, spots[4].y > 0], [0, true]);
});

test("no two cards lie on each other", () => {
  const heights = Array.from({ length: 400 }, (_, index) => 80 + ((index * 7919) % 300));
  const grid = columns(1300);
  const { spots, height } = place(heights, grid);
  const byColumn = Map.groupBy(spots, (spot) => spot.x);
  assert.equal(byColumn.size, grid.count);
  for (const column of byColumn.values()) {
    column.slice(1).forEach((spot, index) => assert.ok(spot.y >= column[index].y + column[index].height));
  }
  assert.ok(spots.every((spot) => spot.y + spot.height <= height + 1));
});

test("only what is near the eye is made, however long the gallery", () => {
  const items = Array.from({ length: 5_000 }, (_, index) => generation(`g${index}`));
  const { spots } = lay(items, 1300, () => 10);
  const seen = between(spots, 20_000, 21_000);
  assert.ok(seen.length > 4 && seen.length < 40, String(seen.length));
});

test("a long prompt gets a second line, and only then", () => {
  const { captions, spots } = lay([generation("a"), generation("b", "long")], 1300, (text) => (text === "long" ? 9_000 : 10));
  assert.deepEqual(captions, ["one", "two"]);
  assert.equal(spots[1].height - spots[0].height, 20);
});

test("pictures of one generation share a card without gaps", () => {
  for (const many of [0, 1, 2, 3, 4, 9]) {
    const { tiles, height } = mosaic(Array.from({ length: many }, () => square));
    assert.equal(tiles.length, Math.min(many, 4));
    assert.ok(height > 0);
    assert.ok(tiles.every((tile) => tile.x + tile.width <= 100.01 && tile.y + tile.height <= height + 0.01));
  }
});

test("arrows lead where the eye expects", () => {
  const { spots } = place([100, 100, 100, 100, 100, 100, 100, 100], columns(1300));
  assert.equal(step(spots, 1, "ArrowRight"), 2);
  assert.equal(step(spots, 0, "ArrowLeft"), 0);
  assert.equal(step(spots, 1, "ArrowDown"), 5);
  assert.equal(step(spots, 5, "ArrowUp"), 1);
  assert.equal(step(spots, 5, "ArrowDown"), 5);
  assert.deepEqual([step(spots, 3, "Home"), step(spots, 3, "End")], [0, 7]);
});
