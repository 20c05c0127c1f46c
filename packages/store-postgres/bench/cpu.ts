import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that all server processes of Postgres have used so far, in ms. */
function serverMs(): number {
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      if (!stat.includes('(postgres)')) continue;
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      ticks += Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
    } catch {
      // It ended meanwhile.
    }
  }
  return ticks * 10;
}

/** Runs `body` and tells its rate, and the CPU time per item here and in Postgres. */
export async function measure(
  name: string,
  items: number,
  body: () => Promise<void>,
): Promise<void> {
  const server = serverMs();
  const client = process.cpuUsage();
  const begun = performance.now();
  await body();
  const ms = performance.now() - begun;
  const { user, system } = process.cpuUsage(client);
  const each = (us: number): string => `${(us / items).toFixed(1)} us`;
  const rate = Math.round((items / ms) * 1_000);
  const cpu = `node ${each(user + system)}, postgres ${each((serverMs() - server) * 1_000)}`;
  process.stdout.write(`${name}: ${rate}/s; CPU each: ${cpu}\n`);
}
