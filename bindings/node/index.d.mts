// SPDX-License-Identifier: MIT

// The same for `import`.

export * from './index.js';
