// @ts-check
/**
 * The arrows of the house: a file imports from its own room and from floors below it, never up, never in a circle.
 * The floors are those of DESIGN and ARCHITECTURE.md, from the ground up; rooms that stand on one floor do not know each other.
 */
const floors = [
  ['src/errors.ts', 'src/version.ts', 'src/optionTable.ts', 'src/suggest.ts', 'src/removedOnExit.ts'],
  ['src/kernels/', 'src/data/'],
  ['src/objective/', 'src/parallel/', 'src/metrics/', 'src/options.ts'],
  ['src/methods/', 'src/formats/'],
  ['src/engine/', 'src/certificate/'],
  ['src/model/', 'src/starts/'],
  ['src/factorize/', 'src/report/', 'src/recommend/'],
  ['src/session/'],
  ['src/selection/'],
  // Entry points of threads: they are started by their address and imported by nobody.
  ['workers/'],
  ['src/index.ts'],
  ['src/cli/'],
];

const pattern = (rooms) =>
  `^(${rooms.map((room) => (room.endsWith('/') ? room : `${room.replace('.', '\\.')}$`)).join('|')})`;
const anyRoom = pattern(floors.flat());

const nameOf = (rooms) => rooms.map((room) => room.replace(/^src\/|\/$|\.ts$/g, '')).join('-');

/** @returns {import('dependency-cruiser').IForbiddenRuleType} */
const never = (name, from, to) => ({ name, severity: 'error', from, to });

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...floors
      .slice(0, -1)
      .map((rooms, floor) =>
        never(
          `never-up-from-${nameOf(rooms)}`,
          { path: pattern(rooms) },
          { path: pattern(floors.slice(floor + 1).flat()) },
        ),
      ),
    ...floors
      .filter((rooms) => rooms.length > 1)
      .map((rooms) =>
        never(`siblings-${nameOf(rooms)}`, { path: pattern(rooms) }, { path: pattern(rooms), pathNot: '^$1' }),
      ),
    never('no-import-of-worker-entries', { pathNot: '^workers/' }, { path: '^workers/' }),
    never('no-circle', {}, { circular: true }),
    never('every-file-has-a-floor', { pathNot: anyRoom }, {}),
    never('every-import-has-a-floor', {}, { dependencyTypes: ['local'], pathNot: anyRoom }),
    never('found', {}, { couldNotResolve: true }),
    // What runs at the user's place comes from dependencies or is an optional peer, not from devDependencies.
    never(
      'only-what-is-shipped',
      {},
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    ),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    doNotFollow: { path: 'node_modules' },
    // AssemblyScript is a language of its own; the kernels' build compiles it.
    exclude: { path: '^src/kernels/assembly/' },
  },
};
