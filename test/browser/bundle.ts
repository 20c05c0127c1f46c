import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A module, by its path from this folder, and all that it imports, as one script for browsers. */
export async function bundleForBrowsers(
  entry: string,
  globalName?: string,
  alias: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { outputFiles } = await build({
    // Aliases are resolved from here.
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    platform: 'browser',
    target: 'es2022',
    conditions: ['durable-source'],
    define: { 'process.env.NODE_ENV': '"development"' },
    alias,
    format: globalName === undefined ? 'esm' : 'iife',
    ...(globalName !== undefined && { globalName }),
  });
  return outputFiles[0]?.text ?? '';
}
