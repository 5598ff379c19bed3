/** The server's time: elapsed seconds are counted on one clock, even where this machine's is wrong. */
import { signal } from "../../vendor/signals.js";

let skew = 0;

/** Milliseconds since 1970 by the server's clock. */
export const now = () => Date.now() + skew;

/** Learn the server's clock from an answer; a header tells whole seconds, so only a real difference counts. */
export function learn(/** @type {string | null} */ dateHeader) {
  const server = dateHeader ? Date.parse(dateHeader) : Number.NaN;
  if (Number.isNaN(server)) return;
  const difference = server + 500 - Date.now();
  skew = Math.abs(difference) > 2_000 ? difference : 0;
}

/** Rises once a second while somebody asked for it. */
export const second = signal(0);

let askers = 0;
/** @type {number | undefined} */
let timer;

/** Keep `second` rising until the returned function is called. */
export function keepTicking() {
  askers += 1;
  timer ??= setInterval(() => (second.value += 1), 1_000);
  return () => {
    askers -= 1;
    if (askers > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
