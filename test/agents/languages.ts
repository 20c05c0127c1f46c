import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program } from './agent-process.ts';

const FOLDER = fileURLToPath(new URL('../../examples/agents/', import.meta.url));

/** A language that an agent of the example is written in. */
export interface Language {
  /** As its agent says in its result. */
  readonly name: string;
  /** What must be there to run it. */
  readonly tool: string;
  /** Compiles it where that takes time. */
  readonly build: () => Program;
}

/** All languages of the example but C#, for which Debian has no toolchain. */
export const LANGUAGES: readonly Language[] = [
  {
    name: 'TypeScript',
    tool: process.execPath,
    build: () => ({
      command: process.execPath,
      args: ['--conditions=durable-source', 'agent.ts'],
    }),
  },
  {
    name: 'Python',
    tool: 'python3',
    build: () => ({ command: 'python3', args: ['agent.py'] }),
  },
  {
    name: 'Go',
    tool: 'go',
    build() {
      const command = join(mkdtempSync(join(tmpdir(), 'agent-go-')), 'agent');
      const env = { ...process.env, CGO_ENABLED: '0' };
      execFileSync('go', ['build', '-o', command, 'agent.go'], { cwd: FOLDER, env });
      return { command, args: [] };
    },
  },
  {
    name: 'Java',
    tool: 'javac',
    build() {
      const classes = mkdtempSync(join(tmpdir(), 'agent-java-'));
      execFileSync('javac', ['-d', classes, 'Agent.java'], { cwd: FOLDER });
      return { command: 'java', args: ['-cp', classes, 'Agent'] };
    },
  },
];

/** Whether a program can be started. */
export function isHere(tool: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`]);
    return true;
  } catch {
    return false;
  }
}
