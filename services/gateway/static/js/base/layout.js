/** Where the gallery's cards go: newest first, read from left to right, every height known before it is shown. */

const GAP = 18;
const NARROW_GAP = 14;

/** How many columns fit, and how wide each is. @param {number} width */
export function columns(width) {
  const gap = width < 700 ? NARROW_GAP : GAP;
  let count = 1;
  if (width >= 520) count = 2;
  if (width >= 880) count = 3;
  if (width >= 1240) count = 4;
  if (width >= 1760) count = 5;
  return { count, gap, column: (width - gap * (count - 1)) / count };
}

/** What stands under the pictures, in pixels: gallery.css gives these heights to the captions. */
const CAPTION = { one: 68, two: 88 };
const CAPTION_EDGES = 28;

/**
 * Place cards one after the other. Each goes to the leftmost column that is hardly longer than the shortest one, so
 * that the eye finds the next newest to the right.
 * @param {number[]} heights @param {{count: number, gap: number, column: number}} grid
 */
export function place(heights, { count, gap, column }) {
  const ends = new Array(count).fill(0);
  const tolerance = column * 0.12;
  const spots = heights.map((height) => {
    const shortest = Math.min(...ends);
    const index = ends.findIndex((end) => end <= shortest + tolerance);
    const spot = { x: Math.round(index * (column + gap)), y: Math.round(ends[index]), height: Math.round(height) };
    ends[index] += height + gap;
    return spot;
  });
  return { spots, height: Math.max(0, Math.max(...ends) - gap) };
}

/** @typedef {{x: number, y: number, height: number}} Spot */

/**
 * Where a whole gallery lies. Captions are one or two lines high, by how wide their text is.
 * @param {import("../types.js").Generation[]} items @param {number} width @param {(text: string) => number} measure
 */
export function lay(items, width, measure) {
  const grid = columns(width);
  const captions = items.map((item) => (measure(item.prompt) > grid.column - CAPTION_EDGES ? "two" : "one"));
  const heights = items.map(
    (item, index) => (mosaic(item.files).height * grid.column) / 100 + CAPTION[/** @type {"one" | "two"} */ (captions[index])],
  );
  return { ...grid, ...place(heights, grid), captions };
}

/** Which of the cards lie between two heights. @param {Spot[]} spots @param {number} top @param {number} bottom */
export function between(spots, top, bottom) {
  const seen = [];
  for (let index = 0; index < spots.length; index += 1) {
    const { y, height } = spots[index];
    if (y < bottom && y + height > top) seen.push(index);
  }
  return seen;
}

/**
 * The card that an arrow leads to, as the eye sees it.
 * @param {Spot[]} spots @param {number} from @param {"ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight" | "Home" | "End"} key
 */
export function step(spots, from, key) {
  if (key === "Home") return 0;
  if (key === "End") return spots.length - 1;
  if (key === "ArrowLeft") return Math.max(0, from - 1);
  if (key === "ArrowRight") return Math.min(spots.length - 1, from + 1);
  const { x } = spots[from];
  const column = spots.map((spot, index) => ({ ...spot, index })).filter((spot) => spot.x === x);
  const here = column.findIndex((spot) => spot.index === from);
  return column[here + (key === "ArrowDown" ? 1 : -1)]?.index ?? from;
}

/**
 * The rectangles of one card's pictures, in hundredths of the card's width: one alone, two beside or above each
 * other, the first above a pair, or four in a square.
 * @param {{width: number, height: number}[]} files
 */
export function mosaic(files) {
  const tall = (/** @type {{width: number, height: number}} */ file) => file.height / file.width;
  const seen = files.slice(0, 4);
  if (seen.length === 0) return { tiles: [], height: 60 };
  if (seen.length <= 1 || (seen.length === 2 && tall(seen[0]) < 0.7)) {
    return stacked(
      seen.map((file) => [file]),
      tall,
    );
  }
  if (seen.length === 3) return stacked([[seen[0]], seen.slice(1)], tall);
  return stacked(
    [seen.slice(0, 2), seen.slice(2)].filter((row) => row.length),
    tall,
  );
}

/**
 * @template F
 * @param {F[][]} rows @param {(file: F) => number} tall
 */
function stacked(rows, tall) {
  /** @type {{x: number, y: number, width: number, height: number}[]} */
  const tiles = [];
  let y = 0;
  for (const row of rows) {
    const width = 100 / row.length;
    // Very long pictures are cropped in the card and shown whole in the large view.
    const height = Math.max(...row.map((file) => Math.min(Math.max(tall(file), 0.4), 1.8))) * width;
    row.forEach((_, index) => tiles.push({ x: index * width, y, width, height }));
    y += height;
  }
  return { tiles, height: y };
}
