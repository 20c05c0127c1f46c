import { DatabaseSync } from 'node:sqlite';

/** The quarters that there are sales of. */
export const QUARTERS = ['Q1', 'Q2', 'Q3', 'Q4'] as const;

export type Quarter = (typeof QUARTERS)[number];

/** The sales of one region in one quarter. */
export interface RegionSales {
  readonly region: string;
  readonly orders: number;
  readonly revenue: number;
  readonly best: string;
}

/** The data that reports are made of. */
export interface SalesData {
  readonly regions: readonly string[];
  ofRegion(quarter: Quarter, region: string): RegionSales;
}

const REGIONS = ['Africa', 'Asia', 'Europe', 'North America', 'Oceania', 'South America'];
const PRODUCTS = ['Anvil', 'Bellows', 'Crucible', 'Drill', 'Engraver'];
const ORDERS_PER_QUARTER = 5_000;

/** A SQLite table of orders, in memory and the same at every start. */
export function salesData(): SalesData {
  const db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE orders (quarter TEXT, region TEXT, product TEXT, cents INTEGER)');
  const insert = db.prepare('INSERT INTO orders VALUES (?, ?, ?, ?)');
  db.exec('BEGIN');
  const next = pseudoRandom(2026);
  for (const quarter of QUARTERS) {
    for (let i = 0; i < ORDERS_PER_QUARTER; i++) {
      const region = REGIONS[next() % REGIONS.length] ?? '';
      const product = PRODUCTS[next() % PRODUCTS.length] ?? '';
      insert.run(quarter, region, product, 1_000 + (next() % 90_000));
    }
  }
  db.exec('COMMIT');
  const totals = db.prepare(
    'SELECT count(*) AS orders, sum(cents) AS cents FROM orders WHERE quarter = ? AND region = ?',
  );
  const best = db.prepare(
    `SELECT product FROM orders WHERE quarter = ? AND region = ?
     GROUP BY product ORDER BY sum(cents) DESC LIMIT 1`,
  );
  return {
    regions: REGIONS,
    ofRegion(quarter, region) {
      const sums = totals.get(quarter, region);
      const product = best.get(quarter, region);
      return {
        region,
        orders: Number(sums?.['orders']),
        revenue: Number(sums?.['cents']) / 100,
        best: String(product?.['product']),
      };
    },
  };
}

function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state >>> 8;
  };
}
