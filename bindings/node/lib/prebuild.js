// SPDX-License-Identifier: MIT

// Where a package has the addon for this platform.

const path = require('node:path');

function libc() {
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

function platform() {
  return `${process.platform}-${process.arch}-${libc()}`;
}

function prebuildPath() {
  return path.join(__dirname, '..', 'prebuilds', `${platform()}.node`);
}

module.exports = { platform, prebuildPath };
