import { wireJsonSchemas } from '@durable-api/core';
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';

/** What follows an intent's id in a path. */
export type SiblingPart =
  | ''
  | '/events'
  | '/result'
  | '/output'
  | '/cancel'
  | '/retry'
  | '/ticket'
  | '/signals';

/** A schema of a route with the members that OpenAPI generators for Fastify read too. */
type DescribedSchema = FastifySchema & Record<string, unknown>;

/** The schema of the submit: the route's own, with the 202 that it answers. */
export function describeSubmit(schema: FastifySchema | undefined): DescribedSchema {
  const response = isRecord(schema?.response) ? schema.response : {};
  const accepted = {
    description: 'Accepted: the intent is stored, and the operation runs.',
    headers: {
      Location: { type: 'string', description: 'Where the status of the intent is.' },
      'Retry-After': { type: 'string', description: 'When to look again, in seconds.' },
    },
    ...wireJsonSchemas().submitted,
  };
  return { ...schema, response: { ...response, 202: accepted } };
}

/** The schema of a route of an intent: what it takes and answers. */
export function describeSibling(
  route: { readonly url: string; readonly schema?: FastifySchema },
  idParam: string,
  method: string,
  part: SiblingPart,
): DescribedSchema {
  const own: DescribedSchema = { ...route.schema };
  const inherited = ['tags', 'security', 'hide'].filter((name) => own[name] !== undefined);
  return {
    ...Object.fromEntries(inherited.map((name) => [name, own[name]])),
    summary: `${SUMMARIES[part][method] ?? part} of POST ${route.url}`,
    params: pathParams(route.url, own.params, {
      [idParam]: ID,
      ...(part === '/signals' && { signal_name: SIGNAL_NAME }),
    }),
    ...(part === '/events' && { querystring: EVENTS_QUERY }),
    response: { ...answers(method, part, own.response), '4xx': problems() },
  };
}

/**
 * Keeps a serializer compiler of the app from the schema of `status`, which is there to be read only
 * and may be in another language than the app's type provider speaks.
 */
export function documentOnly(route: RouteOptions, scope: FastifyInstance, status: string): void {
  const { serializerCompiler: ofRoute } = route;
  Object.defineProperty(route, 'serializerCompiler', {
    enumerable: true,
    // Late: the app may set its compiler after the route. Without one, Fastify's own will do.
    get(): RouteOptions['serializerCompiler'] {
      const compiler = ofRoute ?? scope.serializerCompiler;
      if (compiler === undefined) return undefined;
      return (definition) =>
        definition.httpStatus === status
          ? (data: unknown) => JSON.stringify(data)
          : compiler(definition);
    },
  });
}

const SUMMARIES: Readonly<Record<SiblingPart, Readonly<Record<string, string>>>> = {
  '': { GET: 'Status of an intent', DELETE: 'Cancel an intent' },
  '/events': { GET: 'Events of an intent' },
  '/result': { GET: 'Result of an intent' },
  '/cancel': { POST: 'Cancel an intent' },
  '/retry': { POST: 'Retry an intent that ended without a result' },
  '/ticket': { POST: 'Ticket by which EventSource may observe an intent' },
  '/output': { GET: 'Output of an intent' },
  '/signals': { POST: 'Signal to an intent' },
};

const ID = { type: 'string', format: 'uuid', description: 'The id of the intent.' };
const SIGNAL_NAME = { type: 'string', description: 'What the handler waits for by this name.' };

const EVENTS_QUERY = {
  type: 'object',
  properties: {
    since: { type: 'integer', minimum: 0, description: 'The seq of the last event that is known.' },
    wait_seconds: { type: 'integer', minimum: 1, description: 'Closes the stream after so long.' },
  },
};

function answers(method: string, part: SiblingPart, ofRoute: unknown): Record<string, unknown> {
  const { snapshot, eventList, submitted, ticket } = wireJsonSchemas();
  if (part === '/events')
    return { 200: { description: 'The events.', content: eventMedia(eventList) } };
  if (part === '/result') {
    const successes = Object.entries(isRecord(ofRoute) ? ofRoute : {}).filter(([status]) =>
      status.startsWith('2'),
    );
    if (successes.length > 0) return Object.fromEntries(successes);
    return { 200: { description: "The handler's own response." } };
  }
  if (part === '/retry') return { 202: { description: 'Accepted: a new intent.', ...submitted } };
  if (part === '/ticket') return { 200: { description: 'The ticket.', ...ticket } };
  if (part === '/output')
    return { 200: { description: 'The output of the handler, as it comes.' } };
  if (part === '/signals')
    return { 202: { description: 'The signal is stored.', ...wireJsonSchemas().signaled } };
  if (method === 'GET') return { 200: { description: 'The intent.', ...snapshot } };
  return {
    200: { description: 'The intent is canceled.', ...snapshot },
    202: { description: 'The intent winds down.', ...snapshot },
  };
}

function eventMedia(eventList: unknown): Record<string, unknown> {
  const text = {
    type: 'string',
    description: 'Server-sent events: id is the seq, data the event.',
  };
  return { 'text/event-stream': { schema: text }, 'application/json': { schema: eventList } };
}

function problems(): Record<string, unknown> {
  const { problem } = wireJsonSchemas();
  const content = { 'application/problem+json': { schema: problem } };
  return { description: 'A problem, with its code and what to do.', content };
}

/** The parameters of the path: those of the route as it describes them, and the id. */
function pathParams(
  url: string,
  ofRoute: unknown,
  ours: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const described =
    isRecord(ofRoute) && isRecord(ofRoute['properties']) ? ofRoute['properties'] : {};
  const names = [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const properties = names.map((name) => [name, described[name] ?? { type: 'string' }]);
  return {
    type: 'object',
    properties: { ...Object.fromEntries(properties), ...ours },
    required: [...names, ...Object.keys(ours)],
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
