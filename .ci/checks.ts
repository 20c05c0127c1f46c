import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [reportFile = '', testExit = '1', longReportFile = '', longExit = '1'] =
  process.argv.slice(2);

/** Runs one check and shows its output only when it fails. */
function passes(name: string, command: string, cwd = '.'): boolean {
  const { status, stdout, stderr } = spawnSync(command, { cwd, shell: true, encoding: 'utf8' });
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}`);
  if (status !== 0) console.log(`${stdout}${stderr}`);
  return status === 0;
}

/** Counts what the tests reported; a run that died without a report is one failure. */
function testCounts(file: string, exit: string): { passed: number; failed: number } {
  const text = readFileSync(file, 'utf8');
  if (text === '') return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(text);
  const failed = numFailedTests + numPendingTests;
  return { passed: numPassedTests, failed: failed === 0 && exit !== '0' ? 1 : failed };
}

const tarballs = mkdtempSync(join(tmpdir(), 'durable-packages-'));
const packages = readdirSync('packages').map((name) => `packages/${name}`);
const projects = [
  'examples',
  'examples/nestjs',
  'test',
  ...packages.map((folder) => `${folder}/test`),
].filter((folder) => existsSync(`${folder}/tsconfig.json`));
const checks = [
  passes('types', ['tsc -b --force', ...projects.map((folder) => `tsc -p ${folder}`)].join(' && ')),
  passes('lint', 'oxlint --type-aware --deny-warnings'),
  passes('format', 'oxfmt --check'),
  passes('unused code', 'knip --treat-config-hints-as-errors'),
  ...packages.flatMap((folder) => {
    const tarball = join(tarballs, `${folder.replace('/', '-')}.tgz`);
    return [
      passes(`pack ${folder}`, `pnpm pack --out ${tarball}`, folder),
      passes(`publint ${folder}`, `publint --strict ${tarball}`, folder),
      passes(`attw ${folder}`, `attw --profile esm-only ${tarball}`, folder),
    ];
  }),
];
const counts = [testCounts(reportFile, testExit), testCounts(longReportFile, longExit)];
const passed = counts.reduce((sum, one) => sum + one.passed, 0);
const failed = counts.reduce((sum, one) => sum + one.failed, 0);
const good = checks.filter(Boolean).length;
console.log(`${passed + good} passed, ${failed + checks.length - good} failed`);
process.exitCode = failed + checks.length - good === 0 ? 0 : 1;
