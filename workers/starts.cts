/** Entry of the piscina workers that run a whole start each; see rows.cts for why it is CommonJS. */
const loading = import('./startTask.js');

module.exports = async (task: unknown) => {
  const { runTask } = await loading;
  return runTask(task as Parameters<typeof runTask>[0]);
};
