// SPDX-License-Identifier: MIT
/// <reference types="node" />

// How libkeep looks from JavaScript. What each call does, and every status it can fail with, stands in the C headers
// (core/include/keep); here stands what is different: what throws what, and whose memory it is.
//
// A call that fails throws a KeepError. An argument of the wrong kind throws TypeError (ERR_INVALID_ARG_TYPE), a number
// outside of its range RangeError (ERR_OUT_OF_RANGE), an unknown option TypeError (ERR_INVALID_ARG_VALUE). Lengths and
// counts that are arguments are numbers; 64-bit numbers of reports are bigints.

import type { KeepErrorCode } from './lib/status.js';

export type { KeepErrorCode } from './lib/status.js';

/** The version of the library inside, "0.1.0". */
export function version(): string;

/** A call failed. */
export class KeepError extends Error {
  private constructor();
  /** The number of the status. */
  readonly status: number;
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
  /** What memory.harden or memory.report found before it failed. */
  readonly report?: HardenReport | MemoryReport;
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

type Member<Enum> = Enum[keyof Enum];

/** The flags behind AcquireOptions. */
export const Acquire: { readonly FALLBACK: 1; readonly GUARDED: 2; readonly ALIGN16: 4; readonly RESIDENT: 8 };
export type Acquire = Member<typeof Acquire>;

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
