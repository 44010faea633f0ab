// SPDX-License-Identifier: MIT

// The types for `import`: the same as in types.ts.

import { Secret, version } from 'libkeep';

const text: string = version();
const secret: Secret = Secret.generate(text.length);
secret.close();
