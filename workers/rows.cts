/**
 * Entry of the piscina workers, in CommonJS. Piscina requires its file first, and on Node 20 to require an ES module while the
 * worker is being ended (a fit may be over before its last worker has started) is fatal to the whole process: V8's
 * "IsGraphAsync must be used on an instantiated module". An import() that is cut short is not.
 */
const loading = import('./rowTask.js');

module.exports = async (task: unknown) => {
  const { runTask } = await loading;
  return runTask(task as Parameters<typeof runTask>[0]);
};
