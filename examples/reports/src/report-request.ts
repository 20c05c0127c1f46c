import { QUARTERS, type Quarter } from './sales-data.ts';

/** What `POST /reports/generate` takes. */
export interface ReportRequest {
  readonly quarter: Quarter;
  /** How long the work takes. Default 5. */
  readonly seconds: number;
  /** How many first attempts fail. Default 0. */
  readonly failures: number;
}

/** Reads a request body; null when it is not one. */
export function parseReportRequest(body: unknown): ReportRequest | null {
  if (typeof body !== 'object' || body === null) return null;
  const { quarter, seconds = 5, failures = 0 }: Record<string, unknown> = { ...body };
  const known = QUARTERS.find((candidate) => candidate === quarter);
  if (known === undefined || typeof seconds !== 'number' || typeof failures !== 'number')
    return null;
  if (!(seconds >= 0 && seconds <= 3_600 && failures >= 0)) return null;
  return { quarter: known, seconds, failures };
}
