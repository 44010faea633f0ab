#!/usr/bin/env node
// SPDX-License-Identifier: MIT

// Builds the addon. In the repository: the CMake target keep_node, always. In an unpacked package: nothing if an addon
// loads, else csrc/ and src/ by the C compiler. `--headers` only prints where Node-API's headers are.
//
//   KEEP_NODE_HEADERS   the folder of node_api.h, if it is none of the usual
//   KEEP_BUILD          the repository's build tree, if it is not build/
//   CC, CFLAGS          the package's compiler (cc) and more flags

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const here = path.dirname(__dirname);
const repository = path.join(here, '..', '..');
const tree = path.resolve(process.env.KEEP_BUILD ?? path.join(repository, 'build'));
const isRepository = fs.existsSync(path.join(repository, 'core', 'include', 'keep'));

// What of core/CMakeLists.txt matters outside of the repository.
const flags = [
  ...['-std=c11', '-O2', '-fPIC', '-shared', '-fvisibility=hidden', '-fstack-protector-strong', '-D_GNU_SOURCE'],
  ...['-fno-plt', '-DNAPI_VERSION=8', '-DNODE_API_NO_EXTERNAL_BUFFERS_ALLOWED', '-Wl,-z,relro,-z,now,-z,noexecstack'],
];

function run(program, ...args) {
  execFileSync(program, args, { cwd: here, stdio: 'inherit' });
}

function packagedHeaders() {
  try {
    return path.join(path.dirname(require.resolve('node-api-headers/package.json')), 'include');
  } catch {
    return undefined;
  }
}

function findHeaders() {
  const candidates = [
    process.env.KEEP_NODE_HEADERS,
    packagedHeaders(),
    path.join(path.dirname(process.execPath), '..', 'include', 'node'),
    '/usr/include/node',
    '/usr/include/nodejs/src',
  ];
  return candidates.find((folder) => folder && fs.existsSync(path.join(folder, 'node_api.h')));
}

// npm installs the dependencies of a linked folder outside of the project only when asked there.
function fetchHeaders() {
  run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund');
  return findHeaders();
}

function headers() {
  const found = findHeaders() ?? fetchHeaders();
  if (found === undefined) throw new Error('no node_api.h: set KEEP_NODE_HEADERS to its folder');
  return found;
}

function generator() {
  const isNew = !fs.existsSync(path.join(tree, 'CMakeCache.txt'));
  const hasNinja = process.env.PATH.split(path.delimiter).some((folder) => fs.existsSync(path.join(folder, 'ninja')));
  return isNew && hasNinja ? ['-G', 'Ninja'] : [];
}

function buildRepository() {
  process.env.KEEP_NODE_HEADERS = headers();
  run('cmake', '-S', repository, '-B', tree, '--log-level=WARNING', ...generator());
  run('cmake', '--build', tree, '--target', 'keep_node');
}

function loads() {
  try {
    require('../lib/native.js');
    return true;
  } catch {
    return false;
  }
}

function sources(folder) {
  const names = fs.readdirSync(path.join(here, folder)).filter((name) => name.endsWith('.c'));
  return names.map((name) => path.join(folder, name));
}

function buildPackage() {
  const libraries = JSON.parse(fs.readFileSync(path.join(here, 'csrc', 'libraries.json'), 'utf8'));
  const more = (process.env.CFLAGS ?? '').split(' ').filter(Boolean);
  const includes = ['-Icsrc', '-Icsrc/include', `-I${headers()}`];
  fs.mkdirSync(path.join(here, 'build'), { recursive: true });
  run(
    process.env.CC ?? 'cc',
    ...[...flags, ...more, ...includes, ...sources('csrc'), ...sources('src')],
    ...['-o', 'build/keep.node', ...libraries],
  );
}

function main() {
  if (process.argv[2] === '--headers') console.log(findHeaders() ?? '');
  else if (isRepository) buildRepository();
  else if (!loads()) buildPackage();
}

module.exports = { buildRepository, here, repository, tree };

if (require.main === module) main();
