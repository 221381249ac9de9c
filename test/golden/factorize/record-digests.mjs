// @ts-check
/** Writes digests.json from the current build: `npm run build && node test/golden/factorize/record-digests.mjs`. Only when bits change on purpose. */
import { writeFileSync } from 'node:fs';
import { digestCases } from './digest-cases.mjs';

/** @type {Record<string, string>} */
const digests = {};
for (const [name, digest] of Object.entries(digestCases)) digests[name] = await digest();
writeFileSync(new URL('digests.json', import.meta.url), `${JSON.stringify(digests, null, 2)}\n`);
