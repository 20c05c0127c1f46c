/**
 * The keys under which Nest 11 and 12 keep what decorators said. Nest does not export them; a test
 * compares them with those of the installed Nest.
 */
export const NEST = {
  path: 'path',
  method: 'method',
  httpCode: '__httpCode__',
  headers: '__headers__',
  render: '__renderTemplate__',
  redirect: '__redirect__',
  sse: '__sse__',
  interceptors: '__interceptors__',
  pipes: '__pipes__',
  routeArguments: '__routeArguments__',
  customArguments: '__customRouteArgs__',
  paramTypes: 'design:paramtypes',
} as const;

/** The keys of the decorators of `@nestjs/platform-fastify`. */
export const FASTIFY = {
  config: '__fastify_route_config__',
  constraints: '__fastify_route_constraints__',
  schema: '__fastify_route_schema__',
} as const;

/** The numbers by which Nest tells the decorators of parameters apart. */
export const PARAMETER = {
  request: 0,
  response: 1,
  next: 2,
  body: 3,
  query: 4,
  param: 5,
  headers: 6,
  host: 10,
  ip: 11,
} as const;

/** How users write the decorators of parameters, by Nest's numbers. */
export const PARAMETER_NAMES: readonly string[] = [
  '@Req()',
  '@Res()',
  '@Next()',
  '@Body()',
  '@Query()',
  '@Param()',
  '@Headers()',
  '@Session()',
  '@UploadedFile()',
  '@UploadedFiles()',
  '@HostParam()',
  '@Ip()',
  '@RawBody()',
  '@Ack()',
  '@Cookies()',
  '@SignedCookies()',
];

/** One entry of Nest's metadata on the parameters of a method. */
export interface NestArgument {
  readonly index: number;
  /** What the decorator was given, such as the name of a parameter. */
  readonly data?: unknown;
  /** The pipes of the decorator: classes or instances. */
  readonly pipes: readonly unknown[];
  /** A Standard Schema, since Nest 12. */
  readonly schema?: unknown;
  /** What computes the value, for decorators of the app. */
  readonly factory?: unknown;
}

/** Marks the entries that we add, in the place of what a decorator was given. */
export const OURS: unique symbol = Symbol('durable-api');

/** Nest's metadata on the parameters of a method, by `number:index`, without what we added. */
export function nestArguments(
  type: object,
  method: string,
): Readonly<Record<string, NestArgument>> {
  const all: Record<string, NestArgument> =
    Reflect.getMetadata(NEST.routeArguments, type, method) ?? {};
  return Object.fromEntries(Object.entries(all).filter(([, { data }]) => data !== OURS));
}

/** The paths of a controller or of a method; none when it is neither. */
export function nestPaths(target: object): string[] {
  const paths: unknown[] = [Reflect.getMetadata(NEST.path, target) ?? []].flat();
  return paths.filter((path) => typeof path === 'string');
}
