/** Data of one view: asked for when it is shown, and again when it changed. */
import { useEffect, useState } from "../../vendor/preact-hooks.js";
import { ApiError } from "../base/api.js";

/**
 * `data` is null until the answer came; `absent` when this installation has no such route.
 * @template T @param {() => Promise<T>} ask @param {number} [everyMs] ask again that often while somebody looks
 * @returns {{data: T | null, failed: boolean, absent: boolean, load: () => Promise<void>}}
 */
export function useLoaded(ask, everyMs = 0) {
  const [data, setData] = useState(/** @type {T | null} */ (null));
  const [state, setState] = useState(/** @type {"" | "failed" | "absent"} */ (""));
  const load = async () => {
    try {
      setData(await ask());
      setState("");
    } catch (error) {
      setState(error instanceof ApiError && error.status === 404 ? "absent" : "failed");
    }
  };
  useEffect(() => {
    void load();
    if (!everyMs) return;
    const timer = setInterval(() => document.hidden || void load(), everyMs);
    return () => clearInterval(timer);
  }, []);
  return { data, failed: state === "failed", absent: state === "absent", load };
}
