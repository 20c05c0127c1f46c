import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { progressSchema, submittedSchema, type WireEvent } from '@durable-api/protocol';
import { followEvents } from './demo/follow-events.ts';
import { freePort, killServer, startServer } from './demo/server-process.ts';

/** Submits a report, kills the server half-way, starts it again, and shows the same intent finish. */
async function demo(folder: string): Promise<string> {
  const store = `sqlite:${join(folder, 'operations.db')}`;
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;

  console.log('\n1. Start the report service, an Express app on a SQLite file');
  let server = await startServer(port, store);

  console.log('\n2. Submit a report that takes 6 seconds');
  const response = await fetch(`${origin}/reports/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ quarter: 'Q3', seconds: 6 }),
  });
  const submitted = submittedSchema.parse(await response.json());
  console.log(`  ${response.status} ${submitted.status} ${submitted.intent_id}`);

  console.log('\n3. Watch its events; half-way, the server is killed with SIGKILL');
  let killed = false;
  let status: string = submitted.status;
  const seen: number[] = [];
  for await (const event of followEvents(origin + submitted.links.events)) {
    print(event);
    seen.push(event.seq);
    status = event.status;
    if (!killed && fractionOf(event) >= 0.5) {
      killed = true;
      await killServer(server);
      console.log('  ✗ killed the server (SIGKILL); starting it again on the same file');
      server = await startServer(port, store);
    }
  }
  const gapless = seen.every((seq, i) => seq === i + 1);
  console.log(
    `\n4. Seen ${seen.length} events, ${gapless ? 'each seq once, without a gap' : 'WITH GAPS'}`,
  );

  console.log(`\n5. The result, at ${submitted.links.result}`);
  const result = await fetch(origin + submitted.links.result);
  console.log((await result.text()).replace(/^/gm, '  '));
  await killServer(server);
  return gapless ? status : 'BROKEN';
}

function fractionOf(event: WireEvent): number {
  return progressSchema.safeParse(event.details).data?.fraction ?? 0;
}

function print(event: WireEvent): void {
  const seq = String(event.seq).padStart(4);
  if (event.event_type !== 'intent.progress') {
    console.log(`${seq}  ${event.event_type.padEnd(24)} ${event.status}`);
    return;
  }
  const { fraction = 0, message = '' } = progressSchema.parse(event.details);
  const bar = '█'.repeat(Math.round(fraction * 24)).padEnd(24, '░');
  console.log(`${seq}  ${bar} ${String(Math.round(fraction * 100)).padStart(3)} %  ${message}`);
}

const folder = await mkdtemp(join(tmpdir(), 'durable-demo-'));
try {
  const status = await demo(folder);
  console.log(status);
  if (status !== 'COMPLETED') process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
