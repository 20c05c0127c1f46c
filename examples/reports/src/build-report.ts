import { setTimeout as delay } from 'node:timers/promises';
import type { ReportRequest } from './report-request.ts';
import type { SalesData } from './sales-data.ts';

/** How many parts the slow work is cut into, so that its progress can be seen. */
const PARTS_PER_REGION = 5;

/** Builds the report of a quarter as CSV, slowly, as such reports are. */
export async function buildReport(
  data: SalesData,
  request: ReportRequest,
  onProgress: (fraction: number, region: string) => void = () => {},
  signal?: AbortSignal,
): Promise<string> {
  const partCount = data.regions.length * PARTS_PER_REGION;
  const partMs = (request.seconds * 1_000) / partCount;
  const lines = ['region,orders,revenue,best_product'];
  for (const [i, region] of data.regions.entries()) {
    for (let part = 1; part <= PARTS_PER_REGION; part++) {
      if (partMs > 0) await delay(partMs, undefined, { signal });
      onProgress((i * PARTS_PER_REGION + part) / partCount, region);
    }
    const { orders, revenue, best } = data.ofRegion(request.quarter, region);
    lines.push(`${region},${orders},${revenue.toFixed(2)},${best}`);
  }
  return `${lines.join('\n')}\n`;
}
