import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ApiServer } from '../../packages/client/test/api-server.ts';
import { operations } from '../browser/client-operations.ts';
import { useClient } from '../browser/client-scenario.ts';
import { bun, deno, node, runtimeBinary } from './runtime-binary.ts';

const exec = promisify(execFile);
const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const LONG_ENOUGH = 300_000;

const nodes = ['22.23.3', '24.21.0', '26.10.0'].map((version) => {
  return [`Node ${version}`, node(version)] as const;
});

// As users have them: what `tsc -b` has compiled, without the condition for sources.
describe.each([
  ...nodes,
  ['Bun 1.4.5', bun('1.4.5')] as const,
  ['Deno 2.9.6', deno('2.9.6')] as const,
])('on %s', (name, runtime) => {
  it(
    'the client sees what it sees here',
    async ({ skip }) => {
      const binary = await runtimeBinary(runtime);
      if (binary === null) return skip();
      await using server = await ApiServer.start({ operations });
      const args = [...runtime.args, file('./client-program.ts'), server.url];
      const { stdout } = await exec(binary, args);
      const here: unknown = JSON.parse(JSON.stringify(await useClient(server.url)));
      expect(JSON.parse(stdout)).toEqual(here);
      expect(here).toMatchObject({ result: { quarter: 'Q3' }, abortReason: 'enough', key: true });
    },
    LONG_ENOUGH,
  );

  if (!name.startsWith('Node')) return;
  it(
    'the command line submits and watches',
    async ({ skip }) => {
      const binary = await runtimeBinary(runtime);
      if (binary === null) return skip();
      await using server = await ApiServer.start({ operations });
      const args = ['submit', `${server.url}/report`, '--data', '{"n":1}', '--watch', '--json'];
      const { stdout } = await exec(binary, [file('../../packages/cli/dist/main.js'), ...args]);
      const last: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
      expect(last).toMatchObject({ event_type: 'intent.completed' });
    },
    LONG_ENOUGH,
  );
});
