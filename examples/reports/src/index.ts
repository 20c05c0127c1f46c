export { buildReport } from './build-report.ts';
export { parseReportRequest } from './report-request.ts';
export type { ReportRequest } from './report-request.ts';
export { QUARTERS, salesData } from './sales-data.ts';
export type { Quarter, RegionSales, SalesData } from './sales-data.ts';
export { storeFromUrl } from './store-from-url.ts';
export { tenantOf } from './tenant.ts';

/** The folder with the page that submits and watches. */
export const pageFolder: URL = new URL('../page/', import.meta.url);
