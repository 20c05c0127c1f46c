import {
  DURABLE_CONTEXT,
  decodeInput,
  isStreamedAnswer,
  putOut,
  type AttemptContext,
  type StoredResponse,
} from '@durable-api/core';
import { ContextIdFactory, type ContextId } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import type { StoredRequest } from '../durable-request.ts';
import type { DurableApiModuleOptions } from '../options.ts';
import type { DurableRoute } from '../routes/durable-route.ts';
import type { RouteParameter } from '../routes/route-parameter.ts';
import { extract, isPiped } from './extract.ts';
import { responseOf, responseOfThrow } from './method-response.ts';
import { runPipes, type PipeSetup } from './pipes.ts';
import { serializeResult } from './serialize.ts';
import { readStoredCall, type StoredCall } from './stored-call.ts';
import type { Show } from './streamed-result.ts';

/** What the attempts of one durable method need of its app. */
export interface MethodSetup extends PipeSetup {
  readonly route: DurableRoute;
  /** Whether the controller's providers outlive a request, by the app's `ContextIdStrategy`. */
  readonly isTreeDurable: () => boolean;
  readonly restore: DurableApiModuleOptions['restore'];
  readonly maxResultBytes: number;
}

/** One attempt as its parameters see it. */
interface MethodCall {
  readonly stored: StoredCall;
  readonly request: StoredRequest;
  readonly context: AttemptContext;
  readonly contextId: ContextId;
}

/**
 * Calls a durable method as Nest did before it was durable, on an instance with its providers injected,
 * and resolves to the response that Nest would have sent.
 */
export async function runMethod(
  setup: MethodSetup,
  input: unknown,
  context: AttemptContext,
): Promise<StoredResponse> {
  const { route, moduleRef, maxResultBytes } = setup;
  const { body, rest } = decodeInput(input);
  const stored = readStoredCall(rest);
  const request: StoredRequest = Object.assign(
    { ...stored.request, body },
    { [DURABLE_CONTEXT]: context },
  );
  if (setup.restore === undefined) Object.assign(request, stored.captured);
  else setup.restore(stored.captured, request);
  try {
    const contextId = openContext(setup, request);
    const instance = await moduleRef.resolve<object>(route.type, contextId);
    const values = await valuesOf(setup, { stored, request, context, contextId });
    const returned: unknown = await route.original.apply(instance, values);
    const value: unknown = isObservable(returned)
      ? await lastValueFrom(returned, { defaultValue: undefined })
      : returned;
    const shown = isStreamedAnswer(value)
      ? value
      : await serializeResult(setup, route, value, contextId);
    const show: Show = (bytes, contentType) => putOut(context, bytes, contentType);
    return await responseOf(route, shown, stored.platform, maxResultBytes, show);
  } catch (thrown) {
    const response = responseOfThrow(route, thrown);
    if (response !== null) return response;
    throw thrown;
  }
}

/** A context of its own for providers in request scope, in which `REQUEST` is the stored request. */
function openContext({ moduleRef, isTreeDurable }: MethodSetup, request: StoredRequest): ContextId {
  const contextId = ContextIdFactory.getByRequest(request);
  const injected: unknown = isTreeDurable()
    ? contextId.payload
    : Object.assign(request, contextId.payload);
  moduleRef.registerRequestByContextId(injected, contextId);
  return contextId;
}

async function valuesOf(setup: MethodSetup, call: MethodCall): Promise<unknown[]> {
  const values: unknown[] = [];
  for (const parameter of setup.route.parameters) {
    values[parameter.index] = await valueOf(setup, call, parameter);
  }
  return values;
}

async function valueOf(
  setup: MethodSetup,
  { stored, request, context, contextId }: MethodCall,
  parameter: RouteParameter,
): Promise<unknown> {
  if (parameter.source === 'context') return context;
  const raw = extract(parameter, request);
  if (!isPiped(parameter)) return raw;
  const kept = stored.values === null ? 'pipes' : stored.values[parameter.index];
  if (kept === undefined) return raw;
  if (kept !== 'pipes') return kept.value;
  return runPipes(setup, setup.route, parameter, raw, contextId);
}
