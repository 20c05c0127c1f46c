export { buildPage } from './build-page.ts';
export { buildReport } from './build-report.ts';
export { parseReportRequest } from './report-request.ts';
export type { ReportRequest } from './report-request.ts';
export { QUARTERS, salesData } from './sales-data.ts';
export type { Quarter, RegionSales, SalesData } from './sales-data.ts';
export { storeFromUrl } from './store-from-url.ts';
export { tenantOf } from './tenant.ts';
