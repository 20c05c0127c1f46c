declare module '@prisma/client/runtime/query_compiler_fast_bg.postgresql.mjs' {
  import type { getPrismaClient } from '@prisma/client/runtime/client';

  type Config = Parameters<typeof getPrismaClient>[0];
  type Runtime = Awaited<ReturnType<NonNullable<Config['compilerWasm']>['getRuntime']>>;
  const runtime: Runtime;
  export = runtime;
}
declare module '@prisma/client/runtime/query_compiler_fast_bg.postgresql.wasm-base64.mjs' {
  export const wasm: string;
}
