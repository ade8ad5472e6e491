/** Which folder may import which (ARCHITECTURE.md): a wrong import fails the check. */
const within = (from, allowed, comment) => ({
  name: `${from
    .replace(/[\\^$/]+/g, ' ')
    .trim()
    .replace(/ /g, '-')}-imports`,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(main|renderer|electron|tests)/', pathNot: [from, ...allowed] },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Two files that need each other are one file, or lack a third.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'not-to-unresolvable',
      severity: 'error',
      comment: 'The import resolves to nothing.',
      from: {},
      to: { couldNotResolve: true, pathNot: '^vite/client$' },
    },
    within(
      '^renderer/',
      ['^main/contract/'],
      'The interface knows the engine by its contract only: it may run on another machine.',
    ),
    within(
      '^electron/(?!packaging/)',
      ['^main/contract/'],
      'The shell starts the engine as a process and knows it by its contract only.',
    ),
    within(
      '^electron/packaging/',
      ['^electron/', '^main/bootstrap/'],
      'Packaging runs on a developer machine, with the parts that npm start prepares.',
    ),
    within('^main/contract/', [], 'The contract is shared with the renderer: it imports zod only.'),
    within(
      '^main/ml/',
      ['^main/compute/', '^main/contract/', '^main/logging/'],
      'The science imports compute and itself.',
    ),
    within(
      '^main/compute/',
      ['^main/bootstrap/', '^main/contract/', '^main/ml/random/', '^main/logging/'],
      'Compute is below the science.',
    ),
    within('^main/store/', ['^main/contract/', '^main/logging/'], 'All SQL, and nothing that decides.'),
    within(
      '^main/jobs/kinds/',
      [
        '^main/ml/',
        '^main/compute/',
        '^main/contract/',
        '^main/studies/',
        '^main/jobs/',
        '^main/bootstrap/',
        '^main/logging/',
      ],
      'A worker never opens the database: it appends events.',
    ),
    within('^main/studies/', ['^main/contract/', '^main/jobs/', '^main/ml/'], 'A protocol is a plan of jobs.'),
    within('^main/bootstrap/', [], 'The bootstrap runs before the packages are installed.'),
    {
      name: 'main-stays-plain-node',
      comment: 'The engine knows nothing of Electron, Vue or Vite.',
      severity: 'error',
      from: { path: '^main/' },
      to: { path: '^(electron|renderer)/|node_modules/(electron|vue|pinia|vite|electron-vite)/' },
    },
    {
      name: 'electron-only-in-the-shell',
      comment: 'One folder imports Electron.',
      severity: 'error',
      from: { pathNot: '^electron/' },
      to: { path: 'node_modules/electron/' },
    },
    {
      name: 'contract-imports-zod-only',
      comment: 'The contract is shared with the renderer: it imports zod only.',
      severity: 'error',
      from: { path: '^main/contract/' },
      to: { pathNot: '^(main/contract/|node_modules/zod/)' },
    },
    {
      name: 'bootstrap-without-packages',
      comment: 'The bootstrap runs before the packages are installed.',
      severity: 'error',
      from: { path: '^main/bootstrap/' },
      to: { path: 'node_modules/' },
    },
    {
      name: 'sql-only-in-the-store',
      comment: 'All SQL is in main/store.',
      severity: 'error',
      from: { path: '^main/', pathNot: '^main/(store|api/engineFile)' },
      to: { path: 'node_modules/(better-sqlite3|kysely)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(out|tests/fixtures)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.vue', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
