/** One line to the server's event stream that mends itself: it reconnects, and says when it cannot. */

const GRACE_MS = 1_500;
const HIDDEN_MS = 60_000;
const LONGEST_WAIT_MS = 15_000;

/** @typedef {"connecting" | "live" | "lost"} LineState */

export class Line {
  /**
   * @param {object} on
   * @param {(jobs: any[]) => void} on.snapshot  The open jobs, when the stream cannot be continued.
   * @param {(update: any) => void} on.update  A move of a job.
   * @param {(state: LineState) => void} on.state
   * @param {() => Promise<boolean>} on.refused  The stream was refused; answers whether to try again.
   */
  constructor(on) {
    this.on = on;
    /** @type {EventSource | null} */
    this.source = null;
    this.lastId = "";
    this.wait = 1_000;
    /** @type {number | undefined} */
    this.timer = undefined;
    /** @type {number | undefined} */
    this.grace = undefined;
    /** @type {number | undefined} */
    this.hiding = undefined;
    this.stopped = true;
    document.addEventListener("visibilitychange", () => this.#visibility());
    window.addEventListener("online", () => this.stopped || this.open());
    window.addEventListener("offline", () => this.on.state("lost"));
  }

  /** Open the stream, or open it anew; what was missed comes first. */
  open() {
    this.stopped = false;
    this.#drop();
    const query = this.lastId ? `?last_event_id=${this.lastId}` : "";
    const source = new EventSource(`/api/events${query}`);
    this.source = source;
    source.addEventListener("open", () => this.#opened());
    source.addEventListener("error", () => this.#failed(source));
    source.addEventListener("snapshot", (event) => this.#heard(event, (data) => this.on.snapshot(data.jobs)));
    source.addEventListener("job.updated", (event) => this.#heard(event, (data) => this.on.update(data)));
  }

  /** Close it until it is opened again. */
  close() {
    this.stopped = true;
    this.#drop();
    this.#calm();
  }

  #drop() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  #calm() {
    clearTimeout(this.grace);
    this.grace = undefined;
  }

  #opened() {
    this.#calm();
    this.wait = 1_000;
    this.on.state("live");
  }

  /** @param {EventSource} source */
  #failed(source) {
    // A server that restarts is back within a second; only a longer silence is worth a word.
    this.grace ??= setTimeout(() => this.on.state("lost"), GRACE_MS);
    if (source.readyState === EventSource.CLOSED) void this.#tryLater();
  }

  async #tryLater() {
    if (!(await this.on.refused())) return this.close();
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  /** @param {MessageEvent} event @param {(data: any) => void} use */
  #heard(event, use) {
    this.lastId = event.lastEventId || this.lastId;
    use(JSON.parse(event.data));
  }

  /** A tab nobody looks at gives its connection back: a browser allows six to one server. */
  #visibility() {
    clearTimeout(this.hiding);
    if (this.stopped) return;
    if (document.hidden) this.hiding = setTimeout(() => this.#drop(), HIDDEN_MS);
    else if (this.source === null) this.open();
  }
}
