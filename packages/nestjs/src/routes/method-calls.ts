import { isRequest } from '../durable-request.ts';
import type { Method } from './durable-route.ts';
import { NEST, nestArguments, OURS, PARAMETER, type NestArgument } from './nest-metadata.ts';
import { RUNTIME, type RouteAnswerer } from './runtime-token.ts';

/** What Nest hands to a method of ours after the method's own parameters: request, response, next. */
const EXTRA: readonly number[] = [PARAMETER.request, PARAMETER.response, PARAMETER.next];

/** Has Nest call `method` with request, response and next after its own parameters. */
export function askForRequest(type: object, method: string, ownCount: number): void {
  const own = nestArguments(type, method);
  const extra = EXTRA.map((number, i): [string, NestArgument] => {
    const index = ownCount + i;
    return [`${number}:${index}`, { index, data: OURS, pipes: [] }];
  });
  Reflect.defineMetadata(
    NEST.routeArguments,
    { ...own, ...Object.fromEntries(extra) },
    type,
    method,
  );
}

/** What {@link answeringMethod} stands for. */
export interface AnsweredMethod {
  /** The decorated method. */
  readonly method: string;
  /** Whether it takes a submit, or requests for an intent. */
  readonly isSubmit: boolean;
  /** How many parameters it has itself. */
  readonly ownCount: number;
  /** What is called when the caller is not Nest. */
  readonly otherwise: Method;
}

/** A method that answers Nest's calls by the durable API of its app. */
export function answeringMethod(setup: AnsweredMethod): Method {
  const { method, isSubmit, ownCount, otherwise } = setup;
  return function answer(this: unknown, ...values: unknown[]): unknown {
    const answerer = answererOf(this);
    const request = values[ownCount];
    if (answerer === null || values.length !== ownCount + EXTRA.length || !isRequest(request)) {
      return otherwise.apply(this, values);
    }
    return answerer.answer({
      type: Object(this).constructor,
      method,
      values: isSubmit ? values.slice(0, ownCount) : null,
      request,
      response: values[ownCount + 1],
      next: values[ownCount + 2],
    });
  };
}

function answererOf(controller: unknown): RouteAnswerer | null {
  if (typeof controller !== 'object' || controller === null) return null;
  const answerer: unknown = Reflect.get(controller, RUNTIME);
  return isAnswerer(answerer) ? answerer : null;
}

function isAnswerer(value: unknown): value is RouteAnswerer {
  return typeof value === 'object' && value !== null && 'answer' in value;
}
