// SPDX-License-Identifier: MIT

// Compiled, never run: every export is used as it may be, and misused as it may not.

import * as keep from 'libkeep';

const numbers: number[] = [
  keep.VERSION_MAJOR,
  keep.VERSION_MINOR,
  keep.VERSION_PATCH,
  keep.VERSION_NUMBER,
  keep.MAX_SECRET_LEN,
  keep.MAX_SECRETS,
  keep.MAX_TIERS,
  keep.MIN_SLOT_LEN,
  keep.MAX_SLOT_LEN,
  keep.MAX_BATCH,
  keep.MAX_HOT_CACHE,
  keep.MAX_POOL_BYTES,
  keep.SEALED_OVERHEAD,
  keep.WAIT_FOREVER,
];
const unlimited: bigint = keep.UNLIMITED;
const text: string = keep.version();

const backing: keep.Backing = keep.Backing.LOCKED;
const lockPolicy: keep.LockPolicy = keep.LockPolicy.ALLOW_UNLOCKED;
const kind: keep.Kind = keep.Kind.GUARDED;
const flags: number = keep.Acquire.FALLBACK | keep.Harden.NO_CORE | keep.Check.LOCKED;
const layer: keep.Layer = keep.Layer.ERRNO;
const pattern: keep.CorePattern = keep.CorePattern.PIPE;
// @ts-expect-error a backing is one of three numbers
const noBacking: keep.Backing = 3;
// @ts-expect-error enums are frozen
keep.Kind.SLOT = 1;

async function pools(): Promise<keep.Secret> {
  const pool = new keep.Pool({ tierLen: [32], tierSlots: [4], tierMaxSlots: [4], maxBytes: 1n << 20n, backing });
  new keep.Pool({ lockPolicy, hotCache: 4, resplitViews: 256 });
  // @ts-expect-error 64-bit numbers are bigints
  new keep.Pool({ maxBytes: 1 << 20 });
  // @ts-expect-error no such option
  new keep.Pool({ tiers: [32] });
  const secret: keep.Secret = keep.Pool.default({}).acquire(32, { guarded: true, align16: true, resident: true });
  // @ts-expect-error only the async form waits
  pool.acquire(32, { timeoutMs: 5 });
  const many: keep.Secret[] = pool.acquireMany(32, 4);
  pool.reserve(32, 4);
  const bytes: bigint = pool.trim();
  const inUse: bigint = pool.stats().tiers[0].inUse + pool.stats().lockedBytes + bytes;
  keep.Secret.closeMany([...many, secret]);
  pool[Symbol.dispose]();
  return inUse > unlimited ? secret : pool.acquireAsync(32, { timeoutMs: keep.WAIT_FOREVER, fallback: true });
}

function secrets(pool: keep.Pool, bytes: Uint8Array): keep.Secret {
  const secret = keep.Secret.generate(32, { pool });
  // @ts-expect-error secrets come from static methods
  new keep.Secret();
  // @ts-expect-error text is not bytes
  keep.Secret.fromBytes('text');
  // @ts-expect-error only memory of the caller's own can be taken
  keep.Secret.takeBytes(secret);
  keep.Secret.fromBytes(secret).put(0, keep.Secret.takeBytes(bytes, { pool }));
  const first: number = secret.read((copy: Buffer) => copy[0]);
  secret.write((copy) => copy.fill(first));
  // @ts-expect-error a window ends when the function returns
  secret.read(async (copy) => copy[0]);
  const out: Buffer = secret.get(0, secret.length);
  const written: number = secret.getInto(out, 0) + secret.revealInto(secret.reveal());
  const isEqual: boolean = secret.equal(secret.duplicate()) && secret.equalBytes(bytes);
  // @ts-expect-error bytes are compared by equalBytes
  secret.equal(bytes);
  // @ts-expect-error a length cannot be set
  secret.length = 3;
  const len: bigint = secret.info().len;
  secret.randomize();
  secret.clear();
  secret.resize(isEqual ? written : Number(len));
  secret.freeze();
  secret.melt();
  return secret;
}

async function sealed(pool: keep.Pool, bytes: keep.Bytes): Promise<string> {
  const one = new keep.Sealed(bytes, { pool, type: kind });
  const two = keep.Sealed.take(Buffer.alloc(8), { type: 1 });
  const three = keep.Sealed.fromSecret(one.open({ fallback: true }), { type: layer });
  // @ts-expect-error a secret's own pool is taken
  keep.Sealed.fromSecret(one.open(), { pool });
  const len: number = three.openInto(await two.openAsync({ timeoutMs: 5 }));
  const info: keep.SealedInfo = one.info();
  one.close();
  return `${one} ${info.id} ${len}`;
}

function process(): Buffer {
  const windows: bigint = keep.memory.purge();
  const hardened: keep.HardenReport = keep.memory.harden(keep.Harden.RECOMMENDED);
  const report: keep.MemoryReport = keep.memory.report({ backing });
  const answer: Buffer = keep.memory.knownAnswer('sealed.aad', Buffer.alloc(28));
  keep.memory.knownAnswerInto(answer, 'sealed.aad', answer);
  return report.pageSize + windows > 0n && hardened.error[0] === flags ? answer : Buffer.from(text);
}

function errors(error: unknown): keep.KeepErrorCode | undefined {
  // @ts-expect-error only libkeep makes them
  new keep.KeepError();
  if (!(error instanceof keep.KeepError)) return undefined;
  // @ts-expect-error no such code
  if (error.code === 'ERR_KEEP_NO_SUCH') return undefined;
  const all: [number, string, number | undefined, keep.Layer, bigint, string, readonly bigint[]] = [
    error.status,
    error.op,
    error.needed,
    error.layer,
    error.layerCode,
    error.reason,
    error.values,
  ];
  return all.length > 0 && error.code === 'ERR_KEEP_BUSY' ? error.code : undefined;
}

export { errors, noBacking, numbers, pattern, pools, process, sealed, secrets };
