import { run, type Output, type Terminal } from '../src/index.ts';

class Kept implements Output {
  readonly isTTY: boolean;
  readonly columns = 80;
  #chunks: Buffer[] = [];

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(chunk: string | Uint8Array): void {
    this.#chunks.push(Buffer.from(chunk));
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/** What a run of the program said. */
export interface Said {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Its output as JSON lines. */
  readonly json: readonly unknown[];
}

/** How to run the program. */
export interface RunSetup {
  readonly env?: Terminal['env'];
  readonly stdin?: string;
  readonly isTTY?: boolean;
  readonly signal?: AbortSignal;
  /** Called with what stdout has so far, whenever it is asked. */
  readonly onStart?: (stdout: () => string) => void;
}

/** Runs `durable` with these arguments in this process. */
export async function durable(args: readonly string[], setup: RunSetup = {}): Promise<Said> {
  const { env = {}, stdin = '', isTTY = false, signal = new AbortController().signal } = setup;
  const [stdout, stderr] = [new Kept(isTTY), new Kept(isTTY)];
  setup.onStart?.(() => stdout.text);
  const input = (async function* () {
    yield stdin;
  })();
  const exit = await run(args, { stdout, stderr, stdin: input, env, signal });
  return {
    exit,
    stdout: stdout.text,
    stderr: stderr.text,
    get json() {
      const lines = stdout.text.trim().split('\n');
      return lines.map((line): unknown => JSON.parse(line));
    },
  };
}
