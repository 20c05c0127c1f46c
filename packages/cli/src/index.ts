export { run } from './run.ts';
export { EXIT } from './exit-code.ts';
export type { Output, Terminal } from './terminal.ts';
