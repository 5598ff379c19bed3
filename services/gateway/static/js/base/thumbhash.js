/** Decoding a ThumbHash, the 25 bytes that stand for a picture until it is there: evanw.github.io/thumbhash. */

// Smaller than usual: it is stretched anyway, and a screenful is decoded while scrolling.
const WIDEST = 16;

/** @param {string} base64 */
const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/**
 * What the header says.
 * @param {Uint8Array} hash
 */
function header(hash) {
  const first = hash[0] | (hash[1] << 8) | (hash[2] << 16);
  const second = hash[3] | (hash[4] << 8);
  const alpha = first >> 23 === 1;
  const landscape = second >> 15 === 1;
  const long = alpha ? 5 : 7;
  return {
    alpha,
    lightness: { mean: (first & 63) / 63, scale: ((first >> 18) & 31) / 31 },
    yellow: { mean: ((first >> 6) & 63) / 31.5 - 1, scale: (((second >> 3) & 63) / 63) * 1.25 },
    red: { mean: ((first >> 12) & 63) / 31.5 - 1, scale: (((second >> 9) & 63) / 63) * 1.25 },
    opacity: { mean: alpha ? (hash[5] & 15) / 15 : 1, scale: alpha ? (hash[5] >> 4) / 15 : 0 },
    across: Math.max(3, landscape ? long : second & 7),
    down: Math.max(3, landscape ? second & 7 : long),
    shape: (landscape ? long : second & 7) / (landscape ? second & 7 : long),
  };
}

/** @param {number} nx @param {number} ny @returns {[number, number][]} */
function waves(nx, ny) {
  /** @type {[number, number][]} */
  const found = [];
  for (let y = 0; y < ny; y += 1) {
    for (let x = y ? 0 : 1; x * ny < nx * (ny - y); x += 1) found.push([x, y]);
  }
  return found;
}

/**
 * @param {string} base64
 * @returns {{width: number, height: number, pixels: Uint8ClampedArray}}
 */
export function decode(base64) {
  const hash = bytesOf(base64);
  if (hash.length < 5) throw new Error("no ThumbHash");
  const { alpha, lightness, yellow, red: reds, opacity, across, down: rows, shape } = header(hash);
  let nibble = (alpha ? 6 : 5) * 2;
  const next = () => {
    const byte = hash[nibble >> 1] >> ((nibble & 1) << 2);
    nibble += 1;
    return (byte & 15) / 7.5 - 1;
  };
  const channels = [
    { ...lightness, waves: waves(across, rows) },
    { ...yellow, waves: waves(3, 3) },
    { ...reds, waves: waves(3, 3) },
    { ...opacity, waves: alpha ? waves(5, 5) : [] },
  ].map((channel) => ({ ...channel, heights: channel.waves.map(() => next() * channel.scale) }));

  const width = Math.max(1, Math.round(shape > 1 ? WIDEST : WIDEST * shape));
  const height = Math.max(1, Math.round(shape > 1 ? WIDEST / shape : WIDEST));
  const cosines = (/** @type {number} */ size) =>
    Array.from({ length: 7 }, (_, wave) =>
      Float32Array.from({ length: size }, (__, place) => Math.cos((Math.PI / size) * (place + 0.5) * wave)),
    );
  const [xs, ys] = [cosines(width), cosines(height)];
  const pixels = new Uint8ClampedArray(width * height * 4);
  const [l, p, q, a] = channels.map(({ mean, waves: all, heights }) => {
    const values = new Float32Array(width * height).fill(mean);
    all.forEach(([wx, wy], index) => {
      for (let y = 0, at = 0; y < height; y += 1) {
        const down = 2 * heights[index] * ys[wy][y];
        for (let x = 0; x < width; x += 1, at += 1) values[at] += down * xs[wx][x];
      }
    });
    return values;
  });
  for (let at = 0; at < l.length; at += 1) {
    const blue = l[at] - (2 / 3) * p[at];
    const red = (3 * l[at] - blue + q[at]) / 2;
    pixels.set([red * 255, (red - q[at]) * 255, blue * 255, a[at] * 255], at * 4);
  }
  return { width, height, pixels };
}
