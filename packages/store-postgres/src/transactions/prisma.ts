import type { SqlTransaction } from './sql-transaction.ts';

/** What the adapter needs of the client inside Prisma's `$transaction`. */
export interface PrismaTransaction {
  $queryRawUnsafe(text: string, ...values: string[]): PromiseLike<unknown>;
}

/** The client inside Prisma's `$transaction` for `{ transaction: prismaTransaction(tx) }`. */
export function prismaTransaction(tx: PrismaTransaction): SqlTransaction {
  return {
    query: async (text, values) => {
      const rows = await tx.$queryRawUnsafe(text, ...values);
      return { rows: Array.isArray(rows) ? rows : [] };
    },
  };
}
