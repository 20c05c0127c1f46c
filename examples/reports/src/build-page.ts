import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, stop } from 'esbuild';

const path = (from: string): string => fileURLToPath(new URL(from, import.meta.url));

/** Bundles the page that submits and watches, with the client in it; resolves to the folder to serve. */
export async function buildPage(): Promise<string> {
  const folder = path('../dist/page');
  const { outputFiles } = await build({
    entryPoints: ['index.html', 'page.css', 'page.ts'].map((name) => path(`../page/${name}`)),
    outdir: folder,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['durable-source'],
    loader: { '.html': 'copy' },
  });
  await stop();
  await mkdir(folder, { recursive: true });
  for (const file of outputFiles) await put(file);
  return folder;
}

/** Other processes may serve the file meanwhile: it is never there in part. */
async function put({ path, contents }: { path: string; contents: Uint8Array }): Promise<void> {
  const old = await readFile(path).catch(() => null);
  if (old?.equals(contents) === true) return;
  const fresh = `${dirname(path)}/.${process.pid}`;
  await writeFile(fresh, contents);
  await rename(fresh, path);
}
