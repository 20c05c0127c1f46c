import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const WORKER = join(import.meta.dirname, '../src/worker.ts');
/** Imports and exports that are there when the program runs, unlike those of types. */
const AT_RUNTIME = /^(?:import|export) (?!type\b)[^;]*?from '([^']+)';/gm;

/** What the thread loads of packages, by file. */
function packagesLoadedBy(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const names = [...readFileSync(file, 'utf8').matchAll(AT_RUNTIME)].map(([, name = '']) => name);
  return names.flatMap((name) => {
    if (name.startsWith('.')) return packagesLoadedBy(resolve(dirname(file), name), seen);
    return name.startsWith('node:') ? [] : [`${file}: ${name}`];
  });
}

it('the worker thread loads nothing of other packages, which costs it time and memory', () => {
  expect(packagesLoadedBy(WORKER)).toEqual([]);
});
