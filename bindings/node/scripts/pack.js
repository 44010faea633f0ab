// SPDX-License-Identifier: MIT

// Before `npm pack`, in the repository: puts beside lib/ what a package carries. csrc/ has the C library as one file,
// its headers, and the names of the libraries it needs; prebuilds/ has the addon of this machine; and the licence.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { buildRepository, here, repository, tree } = require('./build.js');
const { prebuildPath } = require('../lib/prebuild.js');

function emptyFolder(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
}

function libraries() {
  const env = { ...process.env, PKG_CONFIG_PATH: tree };
  const printed = execFileSync('pkg-config', ['--static', '--libs-only-l', 'keep'], { env, encoding: 'utf8' });
  return printed.split(/\s+/).filter((flag) => flag !== '' && flag !== '-lkeep');
}

function packSources(csrc) {
  emptyFolder(csrc);
  execFileSync(path.join(repository, 'ci', 'amalgamate'), [csrc]);
  fs.cpSync(path.join(repository, 'core', 'include'), path.join(csrc, 'include'), { recursive: true });
  fs.writeFileSync(path.join(csrc, 'libraries.json'), `${JSON.stringify(libraries())}\n`);
}

// Without names for a debugger: they would tell the folders of this machine.
function packAddon(file) {
  emptyFolder(path.dirname(file));
  execFileSync('strip', ['--strip-unneeded', '-o', file, path.join(here, 'build', 'keep.node')]);
}

buildRepository();
packSources(path.join(here, 'csrc'));
packAddon(prebuildPath());
fs.copyFileSync(path.join(repository, 'LICENSE'), path.join(here, 'LICENSE'));
