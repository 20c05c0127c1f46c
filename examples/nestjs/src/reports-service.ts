import {
  buildReport,
  salesData,
  type ReportRequest,
  type SalesData,
} from '@durable-api/example-reports';
import type { AttemptContext } from '@durable-api/nestjs';
import { Injectable } from '@nestjs/common';

/** Builds reports, slowly. */
@Injectable()
export class ReportsService {
  readonly #data: SalesData = salesData();

  build(report: ReportRequest, { attempt, progress, signal }: AttemptContext): Promise<string> {
    if (attempt <= report.failures) throw new Error(`Attempt ${attempt} fails, as asked.`);
    const show = (fraction: number, region: string): void =>
      progress({ fraction, message: region });
    return buildReport(this.#data, report, show, signal);
  }
}
