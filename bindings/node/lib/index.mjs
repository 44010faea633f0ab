// SPDX-License-Identifier: MIT

// The same names for `import`.

import keep from './index.js';

export const {
  version,
  KeepError,
  Pool,
  Secret,
  Sealed,
  memory,
  VERSION_MAJOR,
  VERSION_MINOR,
  VERSION_PATCH,
  VERSION_NUMBER,
  MAX_SECRET_LEN,
  MAX_SECRETS,
  MAX_TIERS,
  MIN_SLOT_LEN,
  MAX_SLOT_LEN,
  MAX_BATCH,
  MAX_HOT_CACHE,
  MAX_POOL_BYTES,
  SEALED_OVERHEAD,
  UNLIMITED,
  WAIT_FOREVER,
  Acquire,
  Backing,
  Check,
  CorePattern,
  Harden,
  Kind,
  Layer,
  LockPolicy,
} = keep;
