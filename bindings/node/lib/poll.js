// SPDX-License-Identifier: MIT

// Waiting in Node's own loop, without a thread, until something that C has is readable. While nobody waits the native
// poll is stopped: the loop can empty.

const native = require('./native.js');
const { KeepError, Status } = require('./errors.js');

const LONGEST_TIMER_MS = 2 ** 31 - 1;

class Poll {
  #make;
  #op;
  #h;
  #waiting = new Set();
  #listener;
  #started = false;
  #closed = false;

  /** `make` makes the native poll, when somebody first waits; `op` is what an error tells. */
  constructor(make, op) {
    this.#make = make;
    this.#op = op;
  }

  /** Calls `listener` in every turn of the loop in which there is something to do; `undefined` ends that. */
  listen(listener) {
    this.#listener = listener;
    this.#update();
  }

  get isListening() {
    return this.#listener !== undefined;
  }

  /** Resolves when there is something to do, or the time is over; rejects when `signal` says so, or with close(). */
  readable(timeoutMs, signal) {
    return new Promise((resolve, reject) => {
      const timer = timeoutMs < LONGEST_TIMER_MS ? setTimeout(() => end(resolve), timeoutMs) : undefined;
      const abort = () => end(reject, signal.reason);
      const end = (settle, value) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#waiting.delete(end);
        this.#update();
        settle(value);
      };
      end.ready = () => end(resolve);
      end.close = (error) => end(reject, error);
      signal?.addEventListener('abort', abort);
      this.#waiting.add(end);
      this.#update();
    });
  }

  /** Ends all waits; later ones are for the caller to refuse. */
  close() {
    if (this.#closed) return;
    this.#listener = undefined;
    const error = new KeepError(Status.CLOSED, this.#op);
    for (const wait of [...this.#waiting]) wait.close(error);
    this.#closed = true;
    if (this.#h !== undefined) native.pollClose(this.#h);
  }

  #update() {
    const isWanted = this.#waiting.size > 0 || this.isListening;
    if (this.#closed || isWanted === this.#started) return;
    if (isWanted) {
      this.#h ??= this.#make();
      native.pollStart(this.#h, this.#ready);
    } else native.pollStop(this.#h);
    this.#started = isWanted;
  }

  #ready = () => {
    for (const wait of [...this.#waiting]) wait.ready();
    this.#listener?.();
  };
}

module.exports = { LONGEST_TIMER_MS, Poll };
