/** The part of a Standard Schema (zod, valibot, arktype, …) that types and checks a value. */
export interface ValueSchema<Output = unknown> {
  readonly '~standard': {
    validate(value: unknown): SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a {@link ValueSchema} finds. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/**
 * What an operation takes. `T` is the type of its handler (`typeof generateReport`), or a shared
 * `{ input, result }` of plain types or schemas.
 */
export type InputOf<T> = unknown extends T
  ? unknown
  : T extends (...args: infer Args) => unknown
    ? BodyOf<Args[0]>
    : T extends { readonly input: infer Input }
      ? Input extends { readonly '~standard': { readonly types?: infer Types } }
        ? NonNullable<Types> extends { readonly input: infer Value }
          ? Value
          : unknown
        : Input
      : unknown;

/** What an operation answers with; `T` is as for {@link InputOf}. */
export type ResultOf<T> = unknown extends T
  ? unknown
  : T extends (...args: infer Args) => infer Returned
    ? ReturnedOf<Awaited<Returned>, Args[1]>
    : T extends { readonly result: infer Result }
      ? Result extends { readonly '~standard': { readonly types?: infer Types } }
        ? NonNullable<Types> extends { readonly output: infer Value }
          ? Value
          : unknown
        : Result
      : unknown;

/** The body of a framework's request; a parameter that is no request is the body itself. */
type BodyOf<Parameter> = Parameter extends { readonly body: infer Body; readonly headers: object }
  ? Body
  : Parameter;

/** What a handler returns, or what its `res.json` takes when it returns nothing. */
type ReturnedOf<Returned, Response> = [Returned] extends [void]
  ? Response extends { json: (body?: infer Body) => unknown }
    ? NonNullable<Body>
    : unknown
  : Returned;
