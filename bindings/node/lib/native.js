// SPDX-License-Identifier: MIT

// Loads the addon: the build of this folder, else the one that came with the package.

const fs = require('node:fs');
const path = require('node:path');
const { version } = require('../package.json');
const { platform, prebuildPath } = require('./prebuild.js');

const root = path.dirname(__dirname);

// In the repository the sources of the C library are two folders up; in a package they are in csrc/.
function remedy() {
  return fs.existsSync(path.join(root, '..', '..', 'core'))
    ? `npm run build (in ${root})`
    : 'npx libkeep-build (needs a C compiler and libsodium)';
}

function explain(failures) {
  return [
    `libkeep could not load its addon on ${platform()}, Node ${process.version}.`,
    ...failures.map(({ file, reason }) => `  tried ${file}: ${reason}`),
    `This command helps: ${remedy()}`,
  ].join('\n');
}

// The reason why a file cannot be used, or null after it was loaded into `module`.
function tryLoad(file, module) {
  if (!fs.existsSync(file)) return 'no such file';
  try {
    process.dlopen(module, file);
  } catch (error) {
    return error.message;
  }
  const { VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH } = module.exports.constants;
  const found = `${VERSION_MAJOR}.${VERSION_MINOR}.${VERSION_PATCH}`;
  return found === version ? null : `it is of version ${found}, this package of ${version}`;
}

function load() {
  const failures = [];
  for (const find of [() => path.join(root, 'build', 'keep.node'), prebuildPath]) {
    const file = find();
    const module = { exports: {} };
    const reason = tryLoad(file, module);
    if (reason === null) return module.exports;
    failures.push({ file, reason });
  }
  throw Object.assign(new Error(explain(failures)), { code: 'ERR_DLOPEN_FAILED' });
}

const native = load();

// Jobs that wait end when the process does, instead of keeping it.
process.once('exit', native.stop);

module.exports = native;
