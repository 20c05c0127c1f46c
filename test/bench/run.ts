import { readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Bench } from './bench.ts';

const folder = new URL('./benches/', import.meta.url);
const names = readdirSync(folder).map((file) => file.replace(/\.ts$/, ''));
const [name = ''] = process.argv.slice(2);

if (!names.includes(name)) {
  console.error(`pnpm bench NAME, where NAME is one of: ${names.join(', ')}.`);
  process.exitCode = 1;
} else {
  const { bench }: { bench: Bench } = await import(new URL(`${name}.ts`, folder).href);
  const result = await bench();
  console.log(
    JSON.stringify({ bench: name, ...result, cores: cpus().length, node: process.version }),
  );
}
