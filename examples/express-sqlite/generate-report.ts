import { buildReport, parseReportRequest, salesData } from '@durable-api/example-reports';
import { durable } from '@durable-api/express';
import type { Request, Response } from 'express';

const data = salesData();

/** The endpoint as it was before, with its request and response; two lines more for the progress. */
export async function generateReport(req: Request, res: Response): Promise<void> {
  const report = parseReportRequest(req.body);
  if (report === null) {
    res.status(400).json({ error: 'Send { "quarter": "Q1" … "Q4", "seconds"?: number }.' });
    return;
  }
  const { attempt, progress, signal } = durable(req);
  if (attempt <= report.failures) throw new Error(`Attempt ${attempt} fails, as asked.`);
  const show = (fraction: number, region: string): void => progress({ fraction, message: region });
  const csv = await buildReport(data, report, show, signal);
  res.attachment(`${report.quarter}.csv`).type('csv').send(csv);
}
