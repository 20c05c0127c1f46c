/** How a system is filled and drained; one process does both. */
export interface Drain {
  /** Stores so many no-op items that nobody works on yet. */
  readonly fill: (count: number) => Promise<void>;
  /** Starts to work; calls `completed` for each item, with the number of them if there are several. */
  readonly start: (completed: (count?: number) => void) => Promise<() => Promise<unknown>>;
}

const COUNT = 20_000;

/** Drains once to warm up, and once more against the clock; prints the rate per second. */
export async function measure({ fill, start }: Drain): Promise<void> {
  let rate = 0;
  for (let i = 0; i < 2; i++) {
    await fill(COUNT);
    const { promise, resolve } = Promise.withResolvers<void>();
    let left = COUNT;
    const startedAt = performance.now();
    const stop = await start((count = 1) => {
      left -= count;
      if (left === 0) resolve();
    });
    await promise;
    rate = COUNT / ((performance.now() - startedAt) / 1_000);
    await stop();
  }
  console.log(rate);
  process.exit();
}

/** Calls `one` so many times, 500 at once. */
export async function times(count: number, one: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lanes = Array.from({ length: 500 }, async () => {
    while (left-- > 0) await one();
  });
  await Promise.all(lanes);
}
