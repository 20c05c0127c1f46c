/** A benchmark: says what it does as it goes and resolves to its figures. */
export type Bench = () => Promise<Readonly<Record<string, number | string>>>;

/** The median of a list. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('There is no median of nothing.');
  return middle;
}

/** The value below which the share `q` (0 to 1) of a list lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
}

/** Rounds for print. */
export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

function figure(value: number): number {
  return round(value, value < 100 ? 2 : 0);
}

/**
 * Measures two things in turn, three rounds of each in one run, so that both meet the same machine, and
 * compares their medians.
 */
export async function compare(
  baseline: () => Promise<number>,
  ours: () => Promise<number>,
  unit: string,
): Promise<{ baseline: number; ours: number; ratio: number }> {
  const of = { baseline: [] as number[], ours: [] as number[] };
  for (let i = 1; i <= 3; i++) {
    of.baseline.push(await baseline());
    of.ours.push(await ours());
    const line = `${figure(of.baseline.at(-1) ?? 0)} against ${figure(of.ours.at(-1) ?? 0)}`;
    console.log(`round ${i}: ${line} ${unit} (baseline, ours)`);
  }
  const medians = { baseline: median(of.baseline), ours: median(of.ours) };
  return {
    baseline: round(medians.baseline),
    ours: round(medians.ours),
    ratio: round(medians.ours / medians.baseline, 3),
  };
}
