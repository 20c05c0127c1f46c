import { parseReportRequest, type ReportRequest } from '@durable-api/example-reports';
import { BadRequestException, type PipeTransform } from '@nestjs/common';

/** Lets through what asks for a report. */
export class ReportPipe implements PipeTransform {
  transform(body: unknown): ReportRequest {
    const report = parseReportRequest(body);
    if (report !== null) return report;
    throw new BadRequestException('Send { "quarter": "Q1" … "Q4", "seconds"?: number }.');
  }
}
