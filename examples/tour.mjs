// SPDX-License-Identifier: MIT

// The tour in Node.js: makes a secret, seals it, opens it again, and tells what protects it.
//
//     node tour.mjs

import { Backing, Check, memory, Sealed, Secret, version } from '../bindings/node/lib/index.mjs'; // elsewhere: 'libkeep'

const BACKINGS = {
  [Backing.MEMFD_SECRET]: 'memory that not even the kernel maps',
  [Backing.LOCKED]: 'locked memory',
};

const CHECKS = [
  [Check.LOCKED, 'locked'],
  [Check.NOT_DUMPED, 'absent from core dumps'],
  [Check.FORK_SAFE, 'absent from children'],
  [Check.GUARDS, 'between guard pages'],
  [Check.HIDDEN, 'hidden from debuggers'],
  [Check.WIPED, 'wiped when freed'],
  [Check.SEALING, 'sealed by the published cipher'],
];

function tellWhereItLives(secret) {
  const { backing, locked } = secret.info();
  const swapping = locked ? 'never swapped out' : 'but it may be swapped out';
  console.log(`  made    ${secret.length} random bytes, in ${BACKINGS[backing]}, ${swapping}`);
}

function sealAndOpen() {
  const secret = Secret.generate(32);
  const sealed = Sealed.fromSecret(secret);
  const opened = sealed.open();
  tellWhereItLives(secret);
  console.log(`  sealed  into ${sealed.info().storedLen} bytes of ordinary memory, under a key in two halves`);
  console.log(`  opened  ${opened.equal(secret) ? 'the same bytes' : 'other bytes'}`);
  for (const handle of [secret, sealed, opened]) handle.close();
}

function askTheKernel() {
  const { passed } = memory.report({});
  const words = CHECKS.filter(([check]) => (passed & check) !== 0).map(([, proved]) => proved);
  console.log(`  proved  ${words.join(', ')}`);
}

console.log(`Node.js: libkeep ${version()}`);
sealAndOpen();
askTheKernel();
