// SPDX-License-Identifier: MIT
/// <reference types="node" />

// How libkeep looks from JavaScript. What each call does, and every status it can fail with, stands in the C headers
// (core/include/keep); here stands what is different: what throws what, and whose memory it is.
//
// A call that fails throws a KeepError. An argument of the wrong kind throws TypeError (ERR_INVALID_ARG_TYPE), a number
// outside of its range RangeError (ERR_OUT_OF_RANGE), an unknown option TypeError (ERR_INVALID_ARG_VALUE). Lengths and
// counts that are arguments are numbers; 64-bit numbers of reports are bigints.

import type { KeepErrorCode, Statuses } from './lib/status.js';

export type { KeepErrorCode } from './lib/status.js';

/** The version of the library inside, "0.1.0". */
export function version(): string;

/** The numbers of the statuses, which batches tell of each of their items. */
export const Status: Statuses;
export type Status = Member<typeof Status>;

/** A call failed. */
export class KeepError extends Error {
  private constructor();
  /** The number of the status. */
  readonly status: Status;
  /** The name of the status; the one thing to compare. */
  readonly code: KeepErrorCode;
  /** The operation that failed, "Secret.put". */
  readonly op: string;
  /** The length that would do, with ERR_KEEP_BUFFER_TOO_SMALL. */
  readonly needed?: number;
  /** Which layer below failed, if one did, and its own number. */
  readonly layer: Layer;
  readonly layerCode: bigint;
  /** Which of several rules was broken, "none" if the status says it all; numbers that belong to it. */
  readonly reason: string;
  readonly values: readonly bigint[];
  /** What memory.harden or memory.report found before it failed; what became of a frame that could not be sent. */
  readonly report?: HardenReport | MemoryReport | Outcome;
}

/** Bytes that are only read. A Secret is read in place, through a window of its own. */
export type Bytes = Uint8Array | Secret;

export interface PoolOptions {
  /** Slot sizes, multiples of 16, in any order; without them 32, 64, 256 and 1024. */
  tierLen?: readonly number[];
  /** Slots made at once, per tier. */
  tierSlots?: readonly number[];
  /** Growth caps, per tier; 0: `maxBytes` alone decides. */
  tierMaxSlots?: readonly number[];
  /** The growth cap of the pool; 4 MiB. */
  maxBytes?: bigint;
  backing?: Backing;
  lockPolicy?: LockPolicy;
  /** Opened secrets kept in the clear; 0: none. Trades secrecy for time. */
  hotCache?: number;
  /** Uses of the sealing key between two re-splits; 256. */
  resplitViews?: number;
}

export interface AcquireOptions {
  /** A guarded buffer if the tier has no slot. */
  fallback?: boolean;
  /** A guarded buffer from the start. */
  guarded?: boolean;
  /** A guarded buffer's data begins at a multiple of 16. */
  align16?: boolean;
  /** A guarded buffer stays accessible between windows. */
  resident?: boolean;
}

export interface WaitOptions extends AcquireOptions {
  /** How long to wait for a slot; 0: not at all; WAIT_FOREVER. */
  timeoutMs?: number;
}

export interface SecretOptions {
  /** The default pool, if none is given. */
  pool?: Pool;
}

export interface SealOptions extends SecretOptions {
  /** A number of the caller's, bound to the bytes; 0. */
  type?: number;
}

export interface TierStats {
  readonly slotLen: bigint;
  readonly slots: bigint;
  readonly inUse: bigint;
  readonly cached: bigint;
  readonly waiting: bigint;
  readonly regions: bigint;
}

export interface PoolStats {
  readonly tiers: readonly TierStats[];
  /** Of the newest region; AUTO: there is none. */
  readonly backing: Backing;
  readonly lastLockErrno: number;
  readonly lockedBytes: bigint;
  readonly unlockedBytes: bigint;
  readonly metadataBytes: bigint;
  readonly guardedBytes: bigint;
  readonly guarded: bigint;
  readonly growths: bigint;
  readonly waits: bigint;
  readonly timeouts: bigint;
  readonly fallbacks: bigint;
  readonly lockFailures: bigint;
  readonly resplits: bigint;
  readonly purges: bigint;
  readonly cacheEntries: bigint;
  readonly cacheHits: bigint;
  readonly cacheMisses: bigint;
  readonly cacheEvictions: bigint;
}

export interface SecretInfo {
  readonly len: bigint;
  readonly capacity: bigint;
  readonly kind: Kind;
  /** The index of its tier in the pool's stats; of a guarded buffer MAX_TIERS. */
  readonly tier: number;
  readonly backing: Backing;
  readonly windows: number;
  readonly frozen: boolean;
  readonly locked: boolean;
  readonly exposed: boolean;
  readonly purged: boolean;
}

export interface SealedInfo {
  readonly id: bigint;
  readonly len: bigint;
  readonly storedLen: bigint;
  readonly type: number;
  readonly purged: boolean;
}

/** What every handle has. It cannot be copied, sent to a worker, or written as JSON. */
declare abstract class Handle {
  /** Ends the handle; a second time nothing happens. Calls after it fail with ERR_KEEP_CLOSED. */
  close(): void;
  [Symbol.dispose](): void;
  /** Throws. */
  toJSON(): never;
  /** Class, length and state. */
  toString(): string;
}

/** Locked memory for secrets. Its secrets keep it alive; closing it only gives the handle back. */
export class Pool extends Handle {
  constructor(options?: PoolOptions);
  /** A handle of the default pool. With options: the pool must not exist yet, else ERR_KEEP_STATE. */
  static default(options?: PoolOptions): Pool;

  /** A secret of `len` zero bytes. */
  acquire(len: number, options?: AcquireOptions): Secret;
  /** The same, waiting for a slot. Waits beyond a quarter of a second are not strictly first come, first served. */
  acquireAsync(len: number, options?: WaitOptions): Promise<Secret>;
  /** `count` secrets, or none. */
  acquireMany(len: number, count: number): Secret[];
  /** Grows now, so that `count` slots for `len` bytes are free. */
  reserve(len: number, count: number): void;
  /** Gives free regions back; how many bytes. */
  trim(): bigint;
  stats(): PoolStats;
}

/** Bytes in locked memory, wiped when closed. */
export class Secret extends Handle {
  private constructor();
  static generate(len: number, options?: SecretOptions): Secret;
  /** A copy; the source stays as it is. */
  static fromBytes(bytes: Bytes, options?: SecretOptions): Secret;
  /** A copy; the source is wiped if that succeeded. */
  static takeBytes(bytes: Uint8Array, options?: SecretOptions): Secret;
  /** Closes all it can; throws the first failure. At most MAX_BATCH. */
  static closeMany(secrets: Iterable<Secret>): void;

  duplicate(): Secret;
  readonly length: number;
  info(): SecretInfo;

  /**
   * Calls `fn` with a copy of the bytes, under a read window, and gives what it returns. The copy is wiped when `fn`
   * is done. `fn` must not be async: a promise is a TypeError.
   */
  read<T>(fn: (bytes: Buffer) => T extends PromiseLike<unknown> ? never : T): T;
  /** The same under the write window; the copy goes back into the secret unless `fn` throws. */
  write<T>(fn: (bytes: Buffer) => T extends PromiseLike<unknown> ? never : T): T;

  put(offset: number, bytes: Bytes): void;
  /** A copy that is the caller's: no one else wipes it. */
  get(offset: number, len: number): Buffer;
  /** Fills `out` with the bytes from `offset` on; its length. */
  getInto(out: Uint8Array, offset: number): number;
  /** A copy of all, as get. */
  reveal(): Buffer;
  /** The secret's length. */
  revealInto(out: Uint8Array): number;
  randomize(): void;
  clear(): void;
  resize(len: number): void;

  /** In constant time. */
  equal(other: Secret): boolean;
  /** In constant time. */
  equalBytes(bytes: Bytes): boolean;
  freeze(): void;
  melt(): void;
}

/** Bytes that are idle: encrypted, in ordinary memory. */
export class Sealed extends Handle {
  /** Seals a copy; the source stays as it is. */
  constructor(bytes: Bytes, options?: SealOptions);
  /** Seals a copy; the source is wiped if that succeeded. */
  static take(bytes: Uint8Array, options?: SealOptions): Sealed;
  /** Seals a secret's bytes in the secret's own pool. */
  static fromSecret(secret: Secret, options?: { type?: number }): Sealed;

  /** A new, frozen secret. */
  open(options?: AcquireOptions): Secret;
  /** The same, waiting for a slot as acquireAsync does. */
  openAsync(options?: WaitOptions): Promise<Secret>;
  /** Opens into a secret that exists; its new length. */
  openInto(secret: Secret): number;
  info(): SealedInfo;
}

export interface HardenReport {
  /** Masks of Harden. */
  readonly requested: number;
  readonly active: number;
  readonly failed: number;
  /** An errno per bit number, 0 where nothing failed. */
  readonly error: readonly number[];
}

/** What is not known is -1n; a limit that is none is UNLIMITED; what is there or not is 1n or 0n. */
export interface MemoryReport {
  readonly pageSize: bigint;
  readonly memlockSoft: bigint;
  readonly memlockHard: bigint;
  readonly lockedBytes: bigint;
  readonly capIpcLock: bigint;
  readonly memfdSecret: bigint;
  readonly wipeOnFork: bigint;
  readonly hardening: bigint;
  readonly coreLimit: bigint;
  readonly corePattern: bigint;
  readonly dumpable: bigint;
  readonly noNewPrivs: bigint;
  readonly noNewCode: bigint;
  readonly yamaScope: bigint;
  readonly swapBytes: bigint;
  readonly backing: Backing;
  /** Masks of Check; 0 without options. */
  readonly checked: number;
  readonly passed: number;
  readonly failed: number;
}

/** What protects the process as a whole. */
export const memory: {
  /** Wipes every secret of the process now; how many windows were open. */
  purge(): bigint;
  /** Tries the measures of Harden. A KeepError says in its `report` what failed. */
  harden(flags: number): HardenReport;
  /** Facts; with options, `{}` too, also a test of a private pool. A KeepError says in its `report` what failed. */
  report(options?: PoolOptions): MemoryReport;
  /** A published known answer, so that a build can be checked. */
  knownAnswer(name: string, bytes: Bytes): Buffer;
  knownAnswerInto(out: Uint8Array, name: string, bytes: Bytes): number;
};

export interface PacketSettings {
  originHash?: bigint;
  subnetId?: number;
  channelHash?: number;
  priority?: number;
  hopTtl?: number;
}

/** What a packet is to be; what is missing is 0. */
export interface SealPacketOptions {
  streamId?: bigint;
  sequence?: bigint;
  /** A mask of PacketFlags. */
  flags?: number;
  subprotocolId?: number;
  kind?: PacketKind;
  settings?: PacketSettings;
}

export interface PacketRequest extends SealPacketOptions {
  events?: readonly Bytes[];
}

/** A header as it was read. */
export interface PacketInfo {
  readonly counter: bigint;
  readonly sessionId: bigint;
  readonly streamId: bigint;
  readonly sequence: bigint;
  readonly originHash: bigint;
  readonly subnetId: number;
  readonly subprotocolId: number;
  readonly channelHash: number;
  readonly fragmentId: number;
  readonly fragmentOffset: number;
  readonly payloadLen: number;
  readonly eventCount: number;
  readonly kind: PacketKind;
  readonly flags: number;
  readonly priority: number;
  readonly hopTtl: number;
  readonly hopCount: number;
  readonly fragFlags: number;
}

/** A packet that was opened. Its events are views of one Buffer, which is nobody else's. */
export interface Opened {
  readonly status: Statuses['OK'];
  readonly events: readonly Buffer[];
  readonly info: PacketInfo;
}

/** A packet of a batch that was refused. */
export interface NotOpened {
  readonly status: Exclude<Status, Statuses['OK']>;
  readonly events: readonly [];
  readonly info: null;
}

/** A batch that was sealed: datagram i is `data.subarray(offsets[i], offsets[i + 1])`, empty if it was refused. */
export interface SealedBatch {
  readonly data: Buffer;
  readonly offsets: Uint32Array;
  /** A Status each. */
  readonly statuses: Uint8Array;
}

export interface SessionOptions {
  /** Forged packets after which nothing is opened any more; 2n ** 36n, which is also the maximum. */
  maxFailedOpens?: bigint;
  /** How far packets may overtake each other: a power of two from 1024, the default, to 65536. */
  window?: number;
  aead?: Aead;
  /** Gives the slots of the keys; the default pool, if none is given. */
  pool?: Pool;
}

/** At least one key, of 32 bytes; with one of them the session only seals, or only opens. */
export interface NewSessionOptions extends SessionOptions {
  txKey?: Secret;
  rxKey?: Secret;
  sessionId?: bigint;
  /** Above all that `txKey` was ever used with. */
  firstCounter?: bigint;
}

export interface SessionStats {
  /** Of the next packet. */
  readonly nextCounter: bigint;
  readonly opened: bigint;
  readonly authFailed: bigint;
  readonly replayed: bigint;
  readonly malformed: bigint;
  /** Opened so far; null: nothing was. */
  readonly highestCounter: bigint | null;
  /** The peer has shown that it has the keys. */
  readonly confirmed: boolean;
}

/**
 * Two keys, one counter, one replay window. No two live sessions of a process seal with the same key (ERR_KEEP_STATE).
 *
 * Output goes into memory apart from the input, else ERR_KEEP_INVALID_ARGUMENT; opening in place is the one exception.
 * Without room ERR_KEEP_BUFFER_TOO_SMALL tells as `needed` the length that would do, of `spans` if only they are too
 * short; opening tells bytes and events as the first two of `values`.
 */
export class Session extends Handle {
  constructor(options: NewSessionOptions);

  /** A datagram with the events. */
  seal(events: readonly Bytes[], options?: SealPacketOptions): Buffer;
  /** The length of the datagram in `out`. */
  sealInto(out: Uint8Array, events: readonly Bytes[], options?: SealPacketOptions): number;
  /** A datagram that says no more than that this side is alive. */
  heartbeat(): Buffer;
  heartbeatInto(out: Uint8Array): number;
  /** 1 to MAX_BATCH packets. Nothing is thrown for one that is refused: its status says so. */
  sealBatch(requests: readonly PacketRequest[]): SealedBatch;
  /**
   * The same without an object per packet: event i is `data.subarray(ends[i - 1], ends[i])`, alone in its packet, with
   * the sequence `firstSequence + i`. Fills `outEnds` and `statuses` likewise; how many were sealed.
   */
  sealPacked(
    data: Bytes,
    ends: Uint32Array,
    streamId: bigint,
    firstSequence: bigint,
    flags: number,
    out: Uint8Array,
    outEnds: Uint32Array,
    statuses: Uint8Array,
  ): number;

  open(datagram: Bytes): Opened;
  /** The same, but null for what strangers can send: no packet, another session’s, a forged or an old one. */
  tryOpen(datagram: Bytes): Opened | null;
  /**
   * The length of the plaintext in `out`, which may be `datagram.subarray(PACKET_HEADER_LEN)` (in place). It is a row of
   * frames: a length in 4 bytes, little-endian, and so many bytes. `spans` gets the place of each event in `out`, and
   * its length; the last one ends where the plaintext does. MAX_PACKET_EVENTS pairs always do.
   */
  openInto(out: Uint8Array, datagram: Bytes, spans?: Uint32Array): number;
  /** The same, but -1 as tryOpen. */
  tryOpenInto(out: Uint8Array, datagram: Bytes, spans?: Uint32Array): number;
  /** 1 to MAX_BATCH datagrams. Nothing is thrown for one that is refused: its status says so. */
  openBatch(datagrams: readonly Bytes[]): (Opened | NotOpened)[];
  /**
   * The same without objects: datagram i is `data.subarray(ends[i - 1], ends[i])`, its events are the pairs of place in
   * `out` and length number `packetEnds[i - 1]` to `packetEnds[i] - 1` in `spans`. How many were opened.
   */
  openPacked(
    data: Bytes,
    ends: Uint32Array,
    out: Uint8Array,
    spans: Uint32Array,
    packetEnds: Uint32Array,
    statuses: Uint8Array,
  ): number;

  stats(): SessionStats;
}

export interface PacketPoolOptions {
  /** 1 to MAX_PACKET_SLOTS packets; DEFAULT_PACKET_SLOTS. */
  capacity?: number;
  /** What every acquired packet begins with. */
  settings?: PacketSettings;
}

export interface PacketPoolStats {
  readonly capacity: bigint;
  readonly inUse: bigint;
  readonly available: bigint;
  /** The most in use that stats or a refused acquire saw. */
  readonly peak: bigint;
  readonly refused: bigint;
  readonly bytes: bigint;
}

/** Memory for packets, of one maximal packet each, to build in now and send later. Packets work on when it is closed. */
export class PacketPool extends Handle {
  constructor(options?: PacketPoolOptions);
  /** An empty packet; it never waits. */
  acquire(): Packet;
  stats(): PacketPoolStats;
}

export class Packet extends Handle {
  private constructor();
  /** For the next builds; null: the pool's again. */
  set(settings: PacketSettings | null): void;
  /** Seals into the packet; without settings with its own. The session is null for a handshake frame. */
  build(session: Session | null, events: readonly Bytes[], options?: SealPacketOptions): void;
  /** A copy of the datagram that was built last. */
  data(): Buffer;
}

export interface HandshakeOptions {
  pattern: Noise;
  role: Role;
  /** Any 32 random bytes. */
  staticKey: Secret;
  /** 32 bytes that both sides have. */
  preSharedKey: Secret;
  /** For known answers: used twice it gives session keys away. */
  ephemeralKey?: Secret;
  /** The responder's public key, for the initiator of IKPSK2 and for nobody else. */
  remoteStatic?: Uint8Array;
  /** Equal on both sides. */
  prologue?: Bytes;
  /** Gives the slots of the keys; the default pool, if none is given. */
  pool?: Pool;
}

export interface HandshakeInfo {
  readonly state: HandshakeState;
  /** The peer's public key, once a message has authenticated it. */
  readonly remoteStatic: Buffer | null;
  /** Equal on both sides when they are done; no secret, and no key may be made of it. */
  readonly hash: Buffer | null;
}

/** Two sides agree on a session. A message that is refused (ERR_KEEP_AUTH) changes nothing: the right one still works. */
export class Handshake extends Handle {
  constructor(options: HandshakeOptions);
  /** The X25519 public key of a static key, to give to others. */
  static publicKey(staticKey: Secret): Buffer;
  /** The next message; packet.handshakeFrame makes a datagram of it. handshake.h says what a payload is worth. */
  write(payload?: Bytes): Buffer;
  writeInto(out: Uint8Array, payload?: Bytes): number;
  /** The payload of the other side's message. */
  read(message: Bytes): Buffer;
  readInto(out: Uint8Array, message: Bytes): number;
  info(): HandshakeInfo;
  /** The session, once. */
  session(options?: SessionOptions): Session;
}

export interface AeadReport {
  readonly state: AeadState;
  readonly contexts: number;
  /** Of memory for them. */
  readonly bytes: bigint;
  /** The lengths of payload for which AUTO takes it; min above max: none. */
  readonly autoMinLen: number;
  readonly autoMaxLen: number;
  readonly name: string;
  /** Of its library. */
  readonly version: string;
  /** The processor's instructions that it uses, as far as it tells. */
  readonly form: string;
}

/** What needs no session. */
export const packet: {
  /** A header that nobody has authenticated. */
  parse(datagram: Bytes): PacketInfo;
  /** The length of the datagram that the events make, if they fit into one. */
  measure(events: readonly Bytes[]): number;
  /** How many events of one length fit into a packet; 0 if one is too long. */
  maxEvents(eventLen: number): number;
  /** A datagram with a message of a handshake, in the clear. */
  handshakeFrame(message: Bytes): Buffer;
  handshakeFrameInto(out: Uint8Array, message: Bytes): number;
  /** What a back end is on this machine; the first call proves it. */
  aeadReport(which: Exclude<Aead, typeof Aead.AUTO>): AeadReport;
};

/** What a ledger is like. */
export interface TrackerOptions {
  /** Agents, 1 to MAX_AGENTS; DEFAULT_AGENTS. */
  capacity?: number;
  /** Thresholds of silence that are the limit, 1 to 1000; 1. */
  misses?: number;
  policy?: EvictionPolicy;
  /** Keeps intervals, their quantiles, suspicion; false. */
  statistics?: boolean;
  /** 5 seconds. */
  thresholdNs?: bigint;
  /** Time to start in; 0. */
  graceNs?: bigint;
  /** As much of a pause of the caller is counted at most; 0n: all. An observer that listens changes 0n. */
  maxGapNs?: bigint;
  /** 16 bytes, for tests: without them random ones keep pids from colliding. */
  hashKey?: Uint8Array;
}

/** What an agent may have of its own; what is not given, or 0, is the ledger's. */
export interface AgentSettings {
  thresholdNs?: bigint;
  graceNs?: bigint;
  misses?: number;
  /** It cannot stall until it beats; not for Beacon.register. */
  unarmed?: boolean;
}

/** One beat, as somebody saw it. What is not given is 0: unknown; of `claimedPid`: `pid`. */
export interface Sighting {
  pid: number;
  nonce: bigint;
  timestampNs?: bigint;
  health?: Health;
  payload?: number;
  /** NETWORK. */
  origin?: Origin;
  claimedPid?: number;
  nsInode?: bigint;
  generation?: bigint;
  /** A mask of SightingFlags. */
  flags?: number;
}

/** What became of a sighting. */
export interface Admission {
  readonly verdict: Verdict;
  /** A mask of AdmissionFlags. */
  readonly flags: number;
  /** Who went for it; 0: nobody. */
  readonly evictedPid: number;
}

/** A stall. So many of so many agents are `stalled`: if most, look at the machine first. */
export interface Alarm {
  readonly pid: number;
  readonly nonce: bigint;
  readonly lastNs: bigint;
  readonly silenceNs: bigint;
  readonly limitNs: bigint;
  readonly misses: number;
  readonly stalled: number;
  readonly agents: number;
  readonly health: Health;
  readonly payload: number;
  readonly origin: Origin;
  readonly claimedPid: number;
  readonly nsInode: bigint;
  readonly generation: bigint;
}

/** All that a ledger knows of an agent. From `intervals` on zeros, unless the ledger keeps statistics. */
export interface Agent {
  readonly pid: number;
  readonly state: AgentState;
  readonly health: Health;
  readonly origin: Origin;
  readonly nonce: bigint;
  readonly lastNs: bigint;
  readonly silenceNs: bigint;
  readonly limitNs: bigint;
  readonly graceNs: bigint;
  readonly beats: bigint;
  readonly outOfOrder: bigint;
  readonly payload: number;
  readonly claimedPid: number;
  readonly nsInode: bigint;
  readonly generation: bigint;
  readonly intervals: bigint;
  readonly minNs: bigint;
  readonly maxNs: bigint;
  readonly meanNs: bigint;
  readonly jitterNs: bigint;
  readonly p50Ns: bigint;
  readonly p99Ns: bigint;
  /** Thousandths of the suspicion that it is not only late. */
  readonly phiMilli: number;
}

/** Two numbers of now, then counters that never reset. */
export interface TrackerStats {
  readonly agents: bigint;
  readonly stalled: bigint;
  readonly beats: bigint;
  readonly stalls: bigint;
  readonly recoveries: bigint;
  readonly evictions: bigint;
  readonly capacityExceeded: bigint;
  readonly outOfOrder: bigint;
  readonly nonceWraps: bigint;
  readonly originConflicts: bigint;
  readonly namespaceConflicts: bigint;
  readonly recycles: bigint;
  readonly goodbyes: bigint;
  readonly exits: bigint;
  readonly deletes: bigint;
  readonly clockRegressions: bigint;
  readonly outages: bigint;
  readonly outageNs: bigint;
}

/** A ledger: who beat when. It has no clock: every call that decides is told the time, in nanoseconds. */
export class Tracker extends Handle {
  constructor(options?: TrackerOptions);
  /** Tells of a beat. One that is refused is no error: the verdict says so. */
  record(sighting: Sighting, nowNs: bigint): Admission;
  /** Tells of 1 to MAX_BATCH beats, in order. */
  recordBatch(sightings: readonly Sighting[], nowNs: bigint): Admission[];
  /** Takes the agents that are due, by deadline, then pid: each is stalled from now on. Others stay due. */
  drain(nowNs: bigint, most?: number): Alarm[];
  /** When to drain next; TIME_NEVER: there is no deadline. */
  nextDeadline(): bigint;
  /**
   * Registers an agent before it beats, or gives a known one new settings and a new start. The pid that went for it, 0:
   * nobody.
   */
  put(pid: number, nowNs: bigint, settings?: AgentSettings): number;
  /** Removes an agent. */
  delete(pid: number, reason: DeleteReason, nowNs: bigint): void;
  /** An agent as it is at a time; changes nothing. */
  get(pid: number, nowNs: bigint): Agent;
  /** All agents, at the ledger's clock. */
  list(): Agent[];
  stats(): TrackerStats;
}

/** Whom and what an observer takes. */
export interface ObserverOptions {
  /** Who may beat over Unix sockets; without them this user. */
  uids?: readonly number[];
  /** Everybody may. */
  anyUid?: boolean;
  /** A beat's own pid must be the kernel's. */
  requirePidMatch?: boolean;
  /** Messages of sd_notify; true. */
  acceptNotify?: boolean;
  ownNamespaceOnly?: boolean;
  /** An event per beat. */
  reportBeats?: boolean;
  clock?: Clock;
  /** Over UDP; 0: the kernel's. */
  pidMax?: number;
  /** Beats per second; 100, 0: off. */
  perPidRate?: number;
  /** 5000. */
  globalRate?: number;
  /** 10000. */
  globalBurst?: number;
  /** Datagrams in one poll; 1024. */
  budget?: number;
  /** 0: as many as descriptors allow. */
  maxPidfds?: number;
  /** Agents in the metrics; 1024. */
  maxSeries?: number;
  /** 0n: this process's. */
  ownNsInode?: bigint;
  /** A sealed sender that is silent so long may begin again; 0n: never. */
  sessionGapNs?: bigint;
  /** Of what agents may register; 10 milliseconds. */
  minThresholdNs?: bigint;
  /** 1 hour. */
  maxThresholdNs?: bigint;
}

/** Where to listen: one of `path`, `fd` and `address`. */
export interface ListenOptions {
  /** Of a Unix socket; "@name" is abstract. */
  path?: string;
  /** Of the path; 0o600. */
  mode?: number;
  /** A socket that a supervisor bound. */
  fd?: number;
  /** Numeric, for UDP. */
  address?: string;
  port?: number;
  /** UDP: frames are sealed. */
  sealed?: boolean;
  /** UDP: the operator vouches for the pids. */
  attested?: boolean;
  /** UDP: needed for frames that are not sealed. */
  allowPlain?: boolean;
  /** UDP: needed beyond loopback. */
  allowAnyAddress?: boolean;
}

/** What Observer.feed judges. */
export interface Datagram {
  source: DatagramSource;
  data?: Bytes;
  kernelPid?: number;
  uid?: number;
  nsInode?: bigint;
  generation?: bigint;
  /** A mask of DatagramMarks. */
  marks?: number;
}

/** What an observer tells. */
export interface Event {
  readonly kind: EventKind;
  /** The Fault of a DECODE_ERROR, the errno of an IO_ERROR, 1 of a CRASH whose process was gone already. */
  readonly detail: number;
  readonly atNs: bigint;
  readonly pid: number;
  readonly nonce: bigint;
  readonly lastNs: bigint;
  readonly silenceNs: bigint;
  readonly stalled: number;
  readonly agents: number;
  readonly health: Health;
  readonly payload: number;
  readonly origin: Origin;
  readonly claimedPid: number;
  readonly uid: number;
  readonly nsInode: bigint;
  readonly generation: bigint;
}

/** The kinds of events, as Observer.on calls them; "event" is every one. */
export type EventName =
  | 'event'
  | 'beat'
  | 'stall'
  | 'recovered'
  | 'exited'
  | 'goodbye'
  | 'registered'
  | 'ready'
  | 'failed'
  | 'crash'
  | 'evicted'
  | 'recycled'
  | 'decodeError'
  | 'uidRefused'
  | 'authFailure'
  | 'originConflict'
  | 'namespaceConflict'
  | 'outage'
  | 'ioError';

/** Counters that never reset. */
export interface ObserverStats {
  readonly datagrams: bigint;
  readonly badLength: bigint;
  readonly uidRefused: bigint;
  readonly noCredentials: bigint;
  readonly decodeErrors: bigint;
  readonly authFailures: bigint;
  readonly pidAboveMax: bigint;
  readonly limitedPid: bigint;
  readonly limitedGlobal: bigint;
  readonly posthumous: bigint;
  readonly afterGoodbye: bigint;
  readonly notifyUnattested: bigint;
  readonly noticeRefused: bigint;
  readonly decryptFailures: bigint;
  readonly replayRefused: bigint;
  readonly sendersEvicted: bigint;
  readonly foreignNamespace: bigint;
  readonly pidfdUnavailable: bigint;
  readonly ioErrors: bigint;
}

/**
 * Sockets, credentials, limits and events around a tracker. Events go to whoever asks first: a wait, the listeners of a
 * started observer, a poll. Only while somebody waits does it keep the loop alive.
 */
export class Observer extends Handle {
  /** It retains the tracker, which nobody else changes meanwhile. */
  constructor(tracker: Tracker, options?: ObserverOptions);
  listen(options: ListenOptions): void;
  /** Opens sealed frames under this key, too; it is copied. */
  addKey(secret: Secret, mode: BeatMode): void;
  /** Receives what has come, looks who ended, drains the ledger; never blocks. Further events come first next time. */
  poll(most?: number): Event[];
  /** The same without sockets, with up to MAX_BATCH datagrams. */
  feed(datagrams: readonly Datagram[], nowNs: bigint, most?: number): Event[];
  /**
   * The next events; none of them when that many milliseconds are over. Rejects with the signal's reason, and with
   * ERR_KEEP_CLOSED if the observer is closed meanwhile.
   */
  wait(options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<Event[]>;
  /** One event after the other, until the observer is closed: then it throws ERR_KEEP_CLOSED. */
  [Symbol.asyncIterator](): AsyncGenerator<Event, never, void>;

  /** Emits events from now on. A failure ends that and is emitted as "error". */
  start(): this;
  stop(): this;
  on(name: EventName, listener: (event: Event) => void): this;
  on(name: 'error', listener: (error: KeepError) => void): this;
  once(name: EventName, listener: (event: Event) => void): this;
  once(name: 'error', listener: (error: KeepError) => void): this;
  off(name: EventName, listener: (event: Event) => void): this;
  off(name: 'error', listener: (error: KeepError) => void): this;

  stats(): ObserverStats;
  /** All numbers, the tracker's too, as Prometheus text 0.0.4. */
  metrics(): string;
  metricsInto(out: Uint8Array): number;
  /** Closes the sockets, and unlinks those that are still its own. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A Unix socket, or a UDP address, or neither: a detached beacon, for who sends the frames himself. */
export interface BeaconOptions {
  /** Of a Unix socket; "@name" is abstract. */
  path?: string;
  /** Numeric, for UDP. */
  host?: string;
  port?: number;
  mode?: BeatMode;
  /** A plain beacon restarts itself in a child. */
  forkRefresh?: boolean;
  /** 0: this process's; needed in mode MASTER and detached. */
  agentPid?: number;
  /** Drops in a row until it connects anew; 3, 0: never. */
  reconnectAfter?: number;
  /** Detached: where the stream begins. */
  startNonce?: bigint;
  /** 32 bytes, for the sealed modes. */
  key?: Secret;
}

/** What became of a beat or a notice. */
export interface Outcome {
  readonly kind: OutcomeKind;
  readonly action: OutcomeAction;
  /** errno, or 0. */
  readonly error: number;
  /** In a row. */
  readonly dropped: number;
  /** The last one that the kernel took. */
  readonly nonce: bigint;
}

/** Beats that come from the loop. */
export interface BeatTimer {
  /** Ends them and says goodbye; a second time nothing happens. */
  stop(): void;
  /**
   * Ends them without goodbye: an exception may have ended the block. So a block that ends on purpose calls stop() last; if
   * it did not, the process that exits with code 0 says goodbye, and the observer tells of any other end.
   */
  [Symbol.dispose](): void;
}

/**
 * A process's side of being watched. Beat from the loop that is supervised, never from a worker of its own, which would
 * beat on for a hung program. That nobody observes is no error: the beat is dropped, and the outcome says so. A frame
 * that could not be sent is ERR_KEEP_SYSTEM; the error's `report` is the outcome.
 */
export class Beacon extends Handle {
  constructor(options: BeaconOptions);
  /** The key of one agent, made from the master key: give it to that agent alone. */
  static agentKey(master: Secret, pid: number): Secret;

  beat(health?: Health, payload?: number): Outcome;
  /** Asks to be watched from now on, with settings of its own: whole milliseconds. */
  register(settings?: AgentSettings): Outcome;
  /** Says that the process will end on purpose: from then on its silence and its end are no news. */
  goodbye(): Outcome;
  /**
   * Registers, and beats every so many milliseconds while the loop runs, which it does not keep alive. When the process
   * ends with exit code 0 it says goodbye. An exception that nobody catches, or a failing exit code, says none, so that
   * the observer tells of it.
   */
  every(ms: number, settings?: AgentSettings): BeatTimer;

  /** Prepares the last word. `signals`: handlers say it for SEGV, BUS, ILL, FPE and ABRT, then do what was done before. */
  arm(options?: { signals?: boolean }): void;
  /** Says the last word: critical, terminal. Unarmed it does nothing. */
  crash(payload?: number): void;
  /** From now on an exception that nobody catches is a crash. Arm first. */
  crashOnException(payload?: number): void;

  /** Connects anew; the stream goes on. The caller of a detached beacon says so that it has a new connection. */
  reconnect(): void;
  /** Begins a new life: a new connection, a new stream. */
  restart(): void;
  /** The next frame of a detached beacon, to send and then to commit. One that was not settled is dropped. */
  prepare(health: Health, payload: number, nowNs: bigint): Buffer;
  prepareInto(out: Uint8Array, health: Health, payload: number, nowNs: bigint): number;
  /** Settles the frame that was prepared; `error` is the errno of sending it, 0: the kernel took it. */
  commit(error?: number): Outcome;
}

/** What needs no ledger. */
export const tracker: {
  /** A published known answer: of crc32c, beat.encode … beat.open. */
  knownAnswer(name: string, bytes: Bytes): Buffer;
  knownAnswerInto(out: Uint8Array, name: string, bytes: Bytes): number;
};

export const VERSION_MAJOR: number;
export const VERSION_MINOR: number;
export const VERSION_PATCH: number;
export const VERSION_NUMBER: number;
export const MAX_SECRET_LEN: number;
export const MAX_SECRETS: number;
export const MAX_TIERS: number;
export const MIN_SLOT_LEN: number;
export const MAX_SLOT_LEN: number;
export const MAX_BATCH: number;
export const MAX_HOT_CACHE: number;
export const MAX_POOL_BYTES: number;
export const SEALED_OVERHEAD: number;
export const UNLIMITED: bigint;
export const WAIT_FOREVER: number;
export const PACKET_HEADER_LEN: number;
export const PACKET_TAG_LEN: number;
export const PACKET_OVERHEAD_LEN: number;
export const MAX_PACKET_LEN: number;
export const MAX_PAYLOAD_LEN: number;
export const MAX_EVENT_LEN: number;
export const MAX_PACKET_EVENTS: number;
export const MAX_PACKET_SLOTS: number;
export const MAX_PACKET_POOLS: number;
export const DEFAULT_PACKET_SLOTS: number;
export const HANDSHAKE_KEY_LEN: number;
export const MAX_PROLOGUE_LEN: number;
export const BEAT_LEN: number;
export const BEAT_SHARED_LEN: number;
export const BEAT_MASTER_LEN: number;
export const MAX_AGENTS: number;
export const DEFAULT_AGENTS: number;
export const PID_UNKNOWN: number;
export const TIME_NEVER: bigint;
export const MAX_LISTENERS: number;
export const MAX_BEAT_KEYS: number;
export const MAX_ALLOWED_UIDS: number;
export const MAX_SEALED_SENDERS: number;

type Member<Enum> = Enum[keyof Enum];

/** The flags behind AcquireOptions. */
export const Acquire: { readonly FALLBACK: 1; readonly GUARDED: 2; readonly ALIGN16: 4; readonly RESIDENT: 8 };
export type Acquire = Member<typeof Acquire>;

/** Back ends of ChaCha20-Poly1305. All give equal bytes; AUTO is the fastest. */
export const Aead: { readonly AUTO: 0; readonly SODIUM: 1; readonly OPENSSL: 2; readonly IPSEC_MB: 3 };
export type Aead = Member<typeof Aead>;

/** What a back end is on this machine. */
export const AeadState: {
  readonly USABLE: 0;
  readonly NOT_BUILT: 1;
  readonly NOT_FOUND: 2;
  readonly TOO_OLD: 3;
  readonly SELF_TEST_FAILED: 4;
  readonly DISABLED: 5;
};
export type AeadState = Member<typeof AeadState>;

/** What the pages of a pool are made of. */
export const Backing: { readonly AUTO: 0; readonly MEMFD_SECRET: 1; readonly LOCKED: 2 };
export type Backing = Member<typeof Backing>;

/** What memory.report proves about a private pool. */
export const Check: {
  readonly LOCKED: 1;
  readonly NOT_DUMPED: 2;
  readonly FORK_SAFE: 4;
  readonly GUARDS: 8;
  readonly HIDDEN: 16;
  readonly WIPED: 32;
  readonly SEALING: 64;
};
export type Check = Member<typeof Check>;

/** What becomes of a core dump. */
export const CorePattern: { readonly FILE: 0; readonly PIPE: 1 };
export type CorePattern = Member<typeof CorePattern>;

/** Which call of a handshake comes next: write, read, session, none. */
export const HandshakeState: { readonly WRITE: 1; readonly READ: 2; readonly DONE: 3; readonly SPENT: 4 };
export type HandshakeState = Member<typeof HandshakeState>;

/** The measures of memory.harden. NO_NEW_CODE breaks JavaScript's own compiler. */
export const Harden: {
  readonly NO_CORE: 1;
  readonly NO_DUMP: 2;
  readonly NO_NEW_PRIVS: 4;
  readonly NO_NEW_CODE: 8;
  readonly RECOMMENDED: 3;
};
export type Harden = Member<typeof Harden>;

/** Where a secret lives. */
export const Kind: { readonly SLOT: 0; readonly GUARDED: 1 };
export type Kind = Member<typeof Kind>;

/** The layer whose number a KeepError has. */
export const Layer: {
  readonly NONE: 0;
  readonly ERRNO: 1;
  readonly TSS2: 2;
  readonly SQLITE: 3;
  readonly CRYPTO: 4;
  readonly LOADER: 5;
};
export type Layer = Member<typeof Layer>;

/** What happens when the kernel refuses to lock memory. */
export const LockPolicy: { readonly REQUIRE: 0; readonly ALLOW_UNLOCKED: 1 };
export type LockPolicy = Member<typeof LockPolicy>;

/** Noise_IKpsk2_25519_ChaChaPoly_SHA256, if the initiator knows the responder's key, and XXpsk3. */
export const Noise: { readonly IKPSK2: 1; readonly XXPSK3: 2 };
export type Noise = Member<typeof Noise>;

/** Flags of a data packet. Bits 6 and 7 are carried too; 4 and 5 are the library's. */
export const PacketFlags: { readonly RELIABLE: 1; readonly NACK: 2; readonly PRIORITY: 4; readonly FIN: 8 };
export type PacketFlags = Member<typeof PacketFlags>;

/** Kinds of packets. A handshake frame is one event in the clear, without a session. */
export const PacketKind: { readonly DATA: 0; readonly HEARTBEAT: 1; readonly HANDSHAKE: 2 };
export type PacketKind = Member<typeof PacketKind>;

/** Who writes first, and who reads first. */
export const Role: { readonly INITIATOR: 1; readonly RESPONDER: 2 };
export type Role = Member<typeof Role>;
/** How an agent says that it is. */
export const Health: { readonly OK: 0; readonly DEGRADED: 1; readonly CRITICAL: 2 };
export type Health = Member<typeof Health>;

/** Who vouches for the pid of a beat; the number is the rank. NONE: nobody yet, the agent has not beaten. */
export const Origin: {
  readonly NETWORK: 0;
  readonly SOCKET_MODE: 1;
  readonly OPERATOR: 2;
  readonly KERNEL: 3;
  readonly NONE: 255;
};
export type Origin = Member<typeof Origin>;

/** What became of a sighting. */
export const Verdict: {
  readonly INSERTED: 0;
  readonly REFRESHED: 1;
  readonly OUT_OF_ORDER: 2;
  readonly CAPACITY_EXCEEDED: 3;
  readonly ORIGIN_CONFLICT: 4;
  readonly NAMESPACE_CONFLICT: 5;
};
export type Verdict = Member<typeof Verdict>;

/** What else a sighting that was accepted did. */
export const AdmissionFlags: {
  readonly EVICTED: 1;
  readonly RECOVERED: 2;
  readonly RECYCLED: 4;
  readonly TERMINAL: 8;
  readonly UPGRADED: 16;
  readonly WRAPPED: 32;
};
export type AdmissionFlags = Member<typeof AdmissionFlags>;

/** Who may go from a full ledger: who stalled long ago; BALANCED: also who is due long ago and was not drained. */
export const EvictionPolicy: { readonly STRICT: 0; readonly BALANCED: 1 };
export type EvictionPolicy = Member<typeof EvictionPolicy>;

/** Why an agent is deleted. */
export const DeleteReason: { readonly GOODBYE: 1; readonly EXITED: 2; readonly RECYCLED: 3; readonly OPERATOR: 4 };
export type DeleteReason = Member<typeof DeleteReason>;

/** How an agent is; the first that holds, from the highest number. */
export const AgentState: {
  readonly UNARMED: 1;
  readonly REGISTERED: 2;
  readonly STARTING: 3;
  readonly ALIVE: 4;
  readonly STALLED: 5;
};
export type AgentState = Member<typeof AgentState>;

/** UNNUMBERED: the beat has no nonce; from origin KERNEL only. */
export const SightingFlags: { readonly UNNUMBERED: 1 };
export type SightingFlags = Member<typeof SightingFlags>;

/** Which clock an observer reads; MONOTONIC stands still while the machine sleeps. */
export const Clock: { readonly MONOTONIC: 0; readonly BOOTTIME: 1 };
export type Clock = Member<typeof Clock>;

/** What an event tells: keep/observer.h has the meaning of its fields for each. */
export const EventKind: {
  readonly BEAT: 1;
  readonly STALL: 2;
  readonly RECOVERED: 3;
  readonly EXITED: 4;
  readonly GOODBYE: 5;
  readonly REGISTERED: 6;
  readonly READY: 7;
  readonly FAILED: 8;
  readonly CRASH: 9;
  readonly EVICTED: 10;
  readonly RECYCLED: 11;
  readonly DECODE_ERROR: 12;
  readonly UID_REFUSED: 13;
  readonly AUTH_FAILURE: 14;
  readonly ORIGIN_CONFLICT: 15;
  readonly NAMESPACE_CONFLICT: 16;
  readonly OUTAGE: 17;
  readonly IO_ERROR: 18;
};
export type EventKind = Member<typeof EventKind>;

/** Why a frame does not decode. */
export const Fault: {
  readonly BAD_LENGTH: 1;
  readonly BAD_MAGIC: 2;
  readonly BAD_VERSION: 3;
  readonly BAD_CRC: 4;
  readonly BAD_STATUS: 5;
  readonly STALL_ON_WIRE: 6;
  readonly BAD_PID: 7;
  readonly BAD_TIMESTAMP: 8;
  readonly BAD_NONCE: 9;
  readonly BAD_RESERVED: 10;
};
export type Fault = Member<typeof Fault>;

/** How frames are sealed: not; under one key for all agents; under a key for each, made from a master key. */
export const BeatMode: { readonly PLAIN: 0; readonly SHARED: 1; readonly MASTER: 2 };
export type BeatMode = Member<typeof BeatMode>;

/** Where a datagram came from. EXIT is none: the process `kernelPid`, `generation` ended. */
export const DatagramSource: { readonly UNIX: 1; readonly UDP: 2; readonly UDP_SEALED: 3; readonly EXIT: 4 };
export type DatagramSource = Member<typeof DatagramSource>;

/** What is known of a datagram besides its bytes. */
export const DatagramMarks: {
  readonly TRUNCATED: 1;
  readonly NO_CREDENTIALS: 2;
  readonly SENDER_GONE: 4;
  readonly ATTESTED: 8;
};
export type DatagramMarks = Member<typeof DatagramMarks>;

/** The flag behind `signals` of Beacon.arm. */
export const Arm: { readonly SIGNALS: 1 };
export type Arm = Member<typeof Arm>;

/** What became of a frame. FAILED: `error` of the outcome tells. */
export const OutcomeKind: {
  readonly SENT: 0;
  readonly DROPPED_QUEUE_FULL: 1;
  readonly DROPPED_NO_OBSERVER: 2;
  readonly DROPPED_PEER_GONE: 3;
  readonly DROPPED_STORAGE_FULL: 4;
  readonly FAILED: 5;
};
export type OutcomeKind = Member<typeof OutcomeKind>;

/** What the caller of a detached beacon does next. */
export const OutcomeAction: { readonly NONE: 0; readonly RECONNECT: 1 };
export type OutcomeAction = Member<typeof OutcomeAction>;
