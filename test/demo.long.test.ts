import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Fails what is read from a package's dist, which a fresh clone does not have. */
const NOTHING_BUILT = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      if (/\\/packages\\/[^/]+\\/dist\\//.test(found.url)) throw new Error('is built: ' + found.url);
      return found;
    },
  });
`)}`;

it('the demo ends COMPLETED on a fresh clone, where nothing is built', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--run', 'demo:run'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, NODE_OPTIONS: `--import=${NOTHING_BUILT}` },
  });
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('COMPLETED');
});
