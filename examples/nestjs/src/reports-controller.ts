import type { ReportRequest } from '@durable-api/example-reports';
import { Durable, DurableContext, type AttemptContext } from '@durable-api/nestjs';
import { Body, Controller, HttpCode, Post, StreamableFile, UseGuards } from '@nestjs/common';
import { ReportPipe } from './report-pipe.ts';
import { ReportsService } from './reports-service.ts';
import { TenantGuard } from './tenant-guard.ts';

/** The endpoint as it was before, with one decorator more, and a parameter for the progress. */
@Controller()
export class ReportsController {
  constructor(private readonly reports: ReportsService) {}

  @Durable()
  @Post('reports/generate')
  @HttpCode(200)
  async generate(
    @Body(ReportPipe) report: ReportRequest,
    @DurableContext() context: AttemptContext,
  ): Promise<StreamableFile> {
    const csv = await this.reports.build(report, context);
    return new StreamableFile(Buffer.from(csv), {
      type: 'text/csv; charset=utf-8',
      disposition: `attachment; filename="${report.quarter}.csv"`,
    });
  }

  @Durable()
  @Post('private/reports')
  @HttpCode(200)
  @UseGuards(TenantGuard)
  generatePrivate(
    @Body(ReportPipe) report: ReportRequest,
    @DurableContext() context: AttemptContext,
  ): Promise<StreamableFile> {
    return this.generate(report, context);
  }
}
