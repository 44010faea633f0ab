// SPDX-License-Identifier: MIT

// Says ten times a second that it is alive, until its input ends; then goodbye. watch.py is the other side.
//
//     node beat.mjs PATH

import { Beacon } from '../bindings/node/lib/index.mjs'; // elsewhere: 'libkeep'

const beacon = new Beacon({ path: process.argv[2] });
const timer = beacon.every(100);

process.stdin.resume().once('end', () => {
  timer.stop();
  beacon.close();
});
