/** Entry of the piscina workers that score; see rows.cts for why it is CommonJS. */
const loading = import('./scoreTask.js');

module.exports = async (task: unknown) => {
  const { runTask } = await loading;
  return runTask(task as Parameters<typeof runTask>[0]);
};
