/** Ids in the server's own form: `c`, then milliseconds, counter, fingerprint and chance in base 36. */

const BLOCK = 36 ** 4;
let counter = Math.floor(Math.random() * (BLOCK / 2));
const fingerprint = digits(Math.floor(Math.random() * BLOCK), 4);

function digits(/** @type {number} */ number, /** @type {number} */ width) {
  return Math.floor(number).toString(36).padStart(width, "0").slice(-width);
}

/** Mint an id for a request, so that sending it again after a lost answer is the same job. */
export function newId() {
  counter = (counter + 1) % BLOCK;
  const [high, low] = [...crypto.getRandomValues(new Uint32Array(2))].map((number) => digits(number % BLOCK, 4));
  return `c${digits(Date.now(), 8)}${digits(counter, 4)}${fingerprint}${high}${low}`;
}
