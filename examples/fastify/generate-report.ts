import { buildReport, parseReportRequest, salesData } from '@durable-api/example-reports';
import { durable } from '@durable-api/fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';

const data = salesData();

/** The handler as it was before; two lines more for the progress. */
export async function generateReport(
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const report = parseReportRequest(request.body);
  if (report === null) {
    return reply.code(400).send({ error: 'Send { "quarter": "Q1" … "Q4", "seconds"?: number }.' });
  }
  const { attempt, progress, signal } = durable(request);
  if (attempt <= report.failures) throw new Error(`Attempt ${attempt} fails, as asked.`);
  const show = (fraction: number, region: string): void => progress({ fraction, message: region });
  const csv = await buildReport(data, report, show, signal);
  return reply
    .header('content-disposition', `attachment; filename="${report.quarter}.csv"`)
    .type('text/csv; charset=utf-8')
    .send(csv);
}
