import { contextPositions } from '../durable-context-decorator.ts';
import { mountError, type RouteName } from './mount-error.ts';
import {
  NEST,
  nestArguments,
  PARAMETER,
  PARAMETER_NAMES,
  type NestArgument,
} from './nest-metadata.ts';

/** Where the value of a parameter comes from. */
type ParameterSource = 'body' | 'query' | 'param' | 'header' | 'host' | 'ip' | 'custom' | 'context';

/** One parameter of a durable method. */
export interface RouteParameter {
  readonly index: number;
  readonly source: ParameterSource;
  /** The part of the source that is meant, such as a parameter's name; undefined for all of it. */
  readonly key: string | undefined;
  /** What the decorator was given, as pipes are told. */
  readonly data: unknown;
  readonly schema: unknown;
  /** The declared type, where TypeScript emits it. */
  readonly metatype: unknown;
  /** The pipes of the parameter's own decorator: classes or instances. */
  readonly pipes: readonly unknown[];
}

const SOURCES: Readonly<Record<number, ParameterSource>> = {
  [PARAMETER.body]: 'body',
  [PARAMETER.query]: 'query',
  [PARAMETER.param]: 'param',
  [PARAMETER.headers]: 'header',
  [PARAMETER.host]: 'host',
  [PARAMETER.ip]: 'ip',
};

/** Headers that are never stored, since they are secrets. */
const SECRET_HEADERS = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key'];

/**
 * Reads what the decorators of a method's parameters say.
 * @throws DurableError `mount_invalid` for a parameter whose value cannot be stored.
 */
export function readParameters(
  type: { readonly name: string; readonly prototype: object },
  method: string,
  storeCustom: boolean,
): RouteParameter[] {
  const route = { type: type.name, method };
  const contexts = new Set(contextPositions(type.prototype, method));
  const types: unknown = Reflect.getMetadata(NEST.paramTypes, type.prototype, method);
  const parameters = Object.entries(nestArguments(type, method)).map(([kind, argument]) => {
    const { index, data, schema, pipes } = argument;
    const source = contexts.has(index) ? 'context' : sourceOf(kind, argument, route, storeCustom);
    const key = typeof data === 'string' && data !== '' ? data : undefined;
    const metatype: unknown = Array.isArray(types) ? types[index] : undefined;
    return { index, source, key, data, schema, metatype, pipes };
  });
  for (const { source, key, index } of parameters) {
    if (source === 'header') checkHeader(route, index, key);
  }
  return parameters;
}

function sourceOf(
  kind: string,
  { index }: NestArgument,
  route: RouteName,
  storeCustom: boolean,
): ParameterSource {
  if (kind.includes(NEST.customArguments)) {
    if (storeCustom) return 'custom';
    throw mountError(
      route,
      `parameter ${index} has a decorator of the app, which may return what cannot be stored. ` +
        'If it returns JSON, say so: @Durable({ storeCustomParameters: true }). Else take it from the ' +
        'body, or from a request-scoped provider that reads what `capture` stored.',
    );
  }
  const number = Number(kind.split(':')[0]);
  const source = SOURCES[number];
  if (source !== undefined) return source;
  const name = PARAMETER_NAMES[number] ?? `parameter ${index}`;
  throw mountError(route, `${name} is gone when the method runs. ${adviceFor(number)}`);
}

function adviceFor(number: number): string {
  switch (number) {
    case PARAMETER.request:
      return 'Take @Body(), @Param(), @Query(), @Headers("name") or @Ip(); for more, set `capture` and `restore`.';
    case PARAMETER.response:
      return 'Return the result, with @HttpCode() and @Header(), or a StreamableFile.';
    default:
      return 'Store large or secret data elsewhere before, and pass a reference in the body.';
  }
}

function checkHeader(route: RouteName, index: number, name: string | undefined): void {
  if (name === undefined) {
    throw mountError(
      route,
      `parameter ${index} takes all headers, which hold secrets. Name the one: @Headers("x-name").`,
    );
  }
  if (SECRET_HEADERS.includes(name.toLowerCase())) {
    throw mountError(
      route,
      `the header ${name} is a secret, which is not stored. Let \`capture\` store whom it stands for.`,
    );
  }
}
