// SPDX-License-Identifier: MIT

// The tracker: a ledger of who beat when, an observer that feeds it from sockets, beacons that beat. The headers
// tracker.h, observer.h and beacon.h describe every call and what it can fail with; index.d.ts says how it looks from
// here.
//
// Objects are copied here, before C has a place in anybody's memory: reading them can run a caller's code.

const { EventEmitter } = require('node:events');
const native = require('./native.js');
const { checkText, takeOptions, typeError } = require('./errors.js');
const { ADOPT, DESCRIBE, Handle, handleOf } = require('./handle.js');
const { Secret } = require('./memory.js');
const { LONGEST_TIMER_MS, Poll } = require('./poll.js');

const { BEAT_LEN, BEAT_MASTER_LEN, BEAT_SHARED_LEN, BeatMode, EventKind, MAX_AGENTS } = native.constants;

/** A plain copy of an object, whose keys C checks. */
function copyOf(object, name = 'options') {
  if (object === undefined) return undefined;
  if (typeof object !== 'object' || object === null) {
    throw typeError('ERR_INVALID_ARG_TYPE', `The "${name}" argument must be an object`);
  }
  return { ...object };
}

function checkArray(values, name) {
  if (!Array.isArray(values)) throw typeError('ERR_INVALID_ARG_TYPE', `The "${name}" argument must be an array`);
}

function copiesOf(objects, name) {
  checkArray(objects, name);
  return Array.from(objects, (object) => copyOf(object ?? null, name));
}

/** Numbers of C, "DECODE_ERROR", by what Node calls events, "decodeError". */
const eventNames = new Map(
  Object.entries(EventKind).map(([name, kind]) => [
    kind,
    name.toLowerCase().replace(/_(.)/g, (_, letter) => letter.toUpperCase()),
  ]),
);

class Tracker extends Handle {
  constructor(options) {
    const { hashKey, ...others } = copyOf(options) ?? {};
    super(ADOPT, native.trackerNew(others, hashKey));
  }

  record(sighting, nowNs) {
    return native.trackerRecord(handleOf(this), copiesOf([sighting], 'sighting'), nowNs)[0];
  }

  recordBatch(sightings, nowNs) {
    return native.trackerRecord(handleOf(this), copiesOf(sightings, 'sightings'), nowNs);
  }

  drain(nowNs, most = MAX_AGENTS) {
    return native.trackerDrain(handleOf(this), nowNs, most);
  }

  nextDeadline() {
    return native.trackerNextDeadline(handleOf(this));
  }

  put(pid, nowNs, settings) {
    return native.trackerPut(handleOf(this), pid, nowNs, copyOf(settings));
  }

  delete(pid, reason, nowNs) {
    native.trackerDelete(handleOf(this), pid, reason, nowNs);
  }

  get(pid, nowNs) {
    return native.trackerGet(handleOf(this), pid, nowNs);
  }

  list() {
    return native.trackerList(handleOf(this));
  }

  stats() {
    return native.trackerStats(handleOf(this));
  }

  close() {
    native.trackerClose(handleOf(this));
  }

  [DESCRIBE]() {
    const { agents, stalled } = this.stats();
    return `${agents} agents, ${stalled} stalled`;
  }
}

function rangeError(name, expected) {
  const error = new RangeError(`The "${name}" argument must be ${expected}`);
  return Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
}

const WAIT = { timeoutMs: Number.POSITIVE_INFINITY, signal: undefined };

function takeWait(options) {
  const { timeoutMs, signal } = takeOptions(options, WAIT);
  if (typeof timeoutMs !== 'number') {
    throw typeError('ERR_INVALID_ARG_TYPE', 'The "timeoutMs" argument must be a number');
  }
  if (!(timeoutMs >= 0)) throw rangeError('timeoutMs', 'from 0 on');
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw typeError('ERR_INVALID_ARG_TYPE', 'The "signal" argument must be an AbortSignal');
  }
  return { end: timeoutMs === native.constants.WAIT_FOREVER ? WAIT.timeoutMs : performance.now() + timeoutMs, signal };
}

function noReceiver() {
  return typeError('ERR_INVALID_ARG_TYPE', 'The "this" argument must be of the method\'s class');
}

/** The poll and the emitter of an observer. */
let partsOf;

class Observer extends Handle {
  #parts;

  static {
    partsOf = (value) => {
      if (typeof value !== 'object' || value === null || !(#parts in value)) throw noReceiver();
      return value.#parts;
    };
  }

  constructor(tracker, options) {
    const { uids, ...others } = copyOf(options) ?? {};
    if (uids !== undefined) checkArray(uids, 'uids');
    const h = native.observerNew(handleOf(tracker), others, uids && Array.from(uids));
    super(ADOPT, h);
    this.#parts = { poll: new Poll(() => native.observerMakePoll(h), 'Observer.wait'), emitter: new EventEmitter() };
  }

  listen(options) {
    const { path, address, ...others } = copyOf(options ?? null);
    const texts = [path, address].map((text) => checkText(text, 'Observer.listen'));
    native.observerListen(handleOf(this), others, ...texts);
  }

  addKey(secret, mode) {
    native.observerAddKey(handleOf(this), handleOf(secret), mode);
  }

  poll(most = MAX_AGENTS) {
    return native.observerPoll(handleOf(this), most);
  }

  feed(datagrams, nowNs, most = MAX_AGENTS) {
    const copies = copiesOf(datagrams, 'datagrams');
    const data = copies.map((copy) => handleOf(copy.data ?? NOTHING));
    for (const copy of copies) delete copy.data;
    return native.observerFeed(handleOf(this), data, copies, nowNs, most);
  }

  async wait(options) {
    const { poll } = partsOf(this);
    const { end, signal } = takeWait(options);
    return await waitFor(this, poll, MAX_AGENTS, end, signal);
  }

  async *[Symbol.asyncIterator]() {
    const { poll } = partsOf(this);
    // one at a time, so that none is lost when the caller stops
    for (;;) yield (await waitFor(this, poll, 1, WAIT.timeoutMs))[0];
  }

  start() {
    const { poll } = partsOf(this);
    const tell = () => tellEvents(this);
    native.observerStats(handleOf(this)); // closed: an error here, not later
    poll.listen(tell);
    process.nextTick(tell);
    return this;
  }

  stop() {
    partsOf(this).poll.listen(undefined);
    return this;
  }

  on(name, listener) {
    partsOf(this).emitter.on(name, listener);
    return this;
  }

  once(name, listener) {
    partsOf(this).emitter.once(name, listener);
    return this;
  }

  off(name, listener) {
    partsOf(this).emitter.off(name, listener);
    return this;
  }

  stats() {
    return native.observerStats(handleOf(this));
  }

  metrics() {
    return native.observerMetrics(handleOf(this));
  }

  metricsInto(out) {
    return native.observerMetricsInto(handleOf(this), out);
  }

  close() {
    partsOf(this).poll.close();
    native.observerClose(handleOf(this));
  }

  async [Symbol.asyncDispose]() {
    Observer.prototype.close.call(this);
  }

  [DESCRIBE]() {
    return `${this.stats().datagrams} datagrams`;
  }
}

const NOTHING = new Uint8Array(0);

/** The next events; none when the time is over. */
async function waitFor(observer, poll, most, end, signal) {
  for (;;) {
    signal?.throwIfAborted();
    const events = observer.poll(most);
    const left = end - performance.now();
    if (events.length > 0 || left <= 0) return events;
    await poll.readable(left, signal);
  }
}

/** Emits what has come, if the observer is started. A failure ends that. */
function tellEvents(observer) {
  const { poll, emitter } = partsOf(observer);
  if (!poll.isListening) return;
  let events = [];
  try {
    events = observer.poll();
  } catch (error) {
    poll.listen(undefined);
    emitter.emit('error', error);
  }
  for (const event of events) {
    emitter.emit(eventNames.get(event.kind), event);
    emitter.emit('event', event);
  }
}

/** Beats from the loop that is supervised, which it does not keep alive. */
class BeatTimer {
  #beacon;
  #timer;
  #timers;
  #exit = (code) => {
    if (code === 0) this.stop();
  };

  constructor(beacon, timers, ms) {
    this.#beacon = beacon;
    this.#timers = timers;
    this.#timer = setInterval(() => this.#beat(), ms).unref();
    timers.add(this);
    process.once('exit', this.#exit);
  }

  /** Ends the beats and says goodbye; a second time nothing happens. */
  stop() {
    if (this.end()) this.#beacon.goodbye();
  }

  /** Ends the beats in silence; false if that was done before. */
  end() {
    clearInterval(this.#timer);
    process.off('exit', this.#exit);
    return this.#timers.delete(this);
  }

  /** The end of a block, perhaps by an exception, which cannot be seen from here; the exit code will tell. */
  [Symbol.dispose]() {
    clearInterval(this.#timer);
  }

  #beat() {
    try {
      this.#beacon.beat();
    } catch (error) {
      process.emitWarning(error);
    }
  }
}

const FRAME_LENS = new Map([
  [BeatMode.PLAIN, BEAT_LEN],
  [BeatMode.SHARED, BEAT_SHARED_LEN],
  [BeatMode.MASTER, BEAT_MASTER_LEN],
]);

/** The mode of a beacon, its timers, and its listeners of the process. */
let traitsOf;

class Beacon extends Handle {
  #traits;

  static {
    traitsOf = (value) => {
      if (typeof value !== 'object' || value === null || !(#traits in value)) throw noReceiver();
      return value.#traits;
    };
  }

  constructor(options) {
    const { path, host, key, ...others } = copyOf(options ?? null);
    const texts = [path, host].map((text) => checkText(text, 'new Beacon'));
    super(ADOPT, native.beaconNew(others, ...texts, handleOf(key)));
    this.#traits = { mode: others.mode ?? BeatMode.PLAIN, timers: new Set(), monitors: new Set(), closed: false };
  }

  static agentKey(master, pid) {
    return new Secret(ADOPT, native.beaconAgentKey(handleOf(master), pid));
  }

  beat(health = 0, payload = 0) {
    return native.beaconBeat(handleOf(this), health, payload);
  }

  register(settings) {
    return native.beaconRegister(handleOf(this), copyOf(settings));
  }

  goodbye() {
    return native.beaconGoodbye(handleOf(this));
  }

  arm(options) {
    const { signals } = takeOptions(options, { signals: false });
    if (typeof signals !== 'boolean') throw typeError('ERR_INVALID_ARG_TYPE', '"signals" must be a boolean');
    native.beaconArm(handleOf(this), signals ? native.constants.Arm.SIGNALS : 0);
  }

  crash(payload = 0) {
    native.beaconCrash(handleOf(this), payload);
  }

  crashOnException(payload = 0) {
    const { monitors } = traitsOf(this);
    const monitor = () => this.crash(payload);
    monitors.add(monitor);
    process.on('uncaughtExceptionMonitor', monitor);
  }

  every(ms, settings) {
    const { timers } = traitsOf(this);
    if (typeof ms !== 'number') throw typeError('ERR_INVALID_ARG_TYPE', 'The "ms" argument must be a number');
    if (!(ms >= 1 && ms <= LONGEST_TIMER_MS)) throw rangeError('ms', `from 1 to ${LONGEST_TIMER_MS}`);
    this.register(settings);
    return new BeatTimer(this, timers, ms);
  }

  reconnect() {
    native.beaconReconnect(handleOf(this));
  }

  restart() {
    native.beaconRestart(handleOf(this));
  }

  prepare(health, payload, nowNs) {
    const frame = Buffer.alloc(FRAME_LENS.get(traitsOf(this).mode));
    this.prepareInto(frame, health, payload, nowNs);
    return frame;
  }

  prepareInto(out, health, payload, nowNs) {
    const len = FRAME_LENS.get(traitsOf(this).mode);
    return native.beaconPrepare(handleOf(this), out, len, health, payload, nowNs);
  }

  commit(error = 0) {
    return native.beaconCommit(handleOf(this), error);
  }

  close() {
    const { timers, monitors } = traitsOf(this);
    for (const timer of timers) timer.end();
    for (const monitor of monitors) process.off('uncaughtExceptionMonitor', monitor);
    native.beaconClose(handleOf(this));
    traitsOf(this).closed = true;
  }

  [DESCRIBE]() {
    const { mode, closed } = traitsOf(this);
    const name = Object.keys(BeatMode).find((each) => BeatMode[each] === mode);
    return closed ? 'closed' : name.toLowerCase();
  }
}

const tracker = Object.freeze({
  knownAnswer(name, bytes) {
    return native.trackerKnownAnswer(checkText(name, 'tracker.knownAnswer'), handleOf(bytes));
  },

  knownAnswerInto(out, name, bytes) {
    return native.trackerKnownAnswerInto(out, checkText(name, 'tracker.knownAnswerInto'), handleOf(bytes));
  },
});

module.exports = { Beacon, Observer, Tracker, tracker };
