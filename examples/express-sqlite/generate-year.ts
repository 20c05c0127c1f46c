import { QUARTERS } from '@durable-api/example-reports';
import { durable } from '@durable-api/express';
import type { Request, Response } from 'express';

/** Has the reports of four quarters made side by side, by another operation, and puts them together. */
export async function generateYear(req: Request, res: Response): Promise<void> {
  const { start } = durable(req);
  const { seconds = 5 } = { ...req.body };
  const quarters = await Promise.all(
    QUARTERS.map((quarter) => start<string>('generateReport', { quarter, seconds })),
  );
  const reports = await Promise.all(quarters.map((quarter) => quarter.result()));
  res.type('csv').send(reports.map((csv, i) => `# ${QUARTERS[i]}\n${csv}`).join(''));
}
