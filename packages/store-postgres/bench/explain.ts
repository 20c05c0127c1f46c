import { Pool } from 'pg';
export function explainingPool(minMs: number): Pool {
  const pool = new Pool({
    connectionString: 'postgres://root@127.0.0.1:5432/test',
    max: 4,
    options: `-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=${minMs} -c auto_explain.log_analyze=on -c auto_explain.log_level=notice`,
  });
  let n = 0;
  pool.on('connect', (client) =>
    client.on('notice', (m) => {
      const t = String(m.message);
      if (t.includes(process.env['W'] ?? 'held') && n++ < Number(process.env['N'] ?? 6))
        process.stdout.write(`${t.replace(/Query Text:[^]*?(?=\n\S*.*\(cost)/, '')}\n`);
    }),
  );
  return pool;
}
