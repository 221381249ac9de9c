// @ts-check
/** The file that piscina loads for dyingStarts.mjs: see workers/rows.cts for why it is CommonJS. */
const loading = import('./dyingStarts.mjs');

/** @param {unknown} task */
module.exports = async (task) => (await loading).default(/** @type {never} */ (task));
