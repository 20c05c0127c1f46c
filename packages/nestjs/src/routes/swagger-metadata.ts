import { RequestMethod } from '@nestjs/common';
import { wireJsonSchemas } from '@durable-api/core';
import { ID_PARAM } from '../platform/intent-url.ts';
import type { DurableRoute } from './durable-route.ts';
import { nestPaths } from './nest-metadata.ts';
import type { IntentPart, Sibling } from './sibling.ts';

/** The keys under which `@nestjs/swagger` keeps what its decorators said of an operation. */
const SWAGGER = {
  operation: 'swagger/apiOperation',
  response: 'swagger/apiResponse',
  parameters: 'swagger/apiParameters',
  exclude: 'swagger/apiExcludeEndpoint',
  produces: 'swagger/apiProduces',
  consumes: 'swagger/apiConsumes',
  callbacks: 'swagger/apiCallbacks',
  webhook: 'swagger/apiWebhook',
  link: 'swagger/apiLink',
} as const;

/** Those that say something of one operation's request and answer. */
export const SWAGGER_OF_OPERATION: readonly string[] = Object.values(SWAGGER).filter(
  (key) => key !== SWAGGER.exclude,
);

type Described = Readonly<Record<string, unknown>>;

/** Documents the 202 of a submit, beside what the app documented: the answer to `Prefer: wait`. */
export function describeSubmit(route: DurableRoute, submit: object): void {
  const accepted = {
    description: 'Accepted: the intent is stored, and the operation runs.',
    content: { 'application/json': { schema: wireJsonSchemas().submitted } },
    headers: {
      Location: { description: 'Where the status is.', schema: { type: 'string' } },
      'Retry-After': { description: 'When to look again, in s.', schema: { type: 'string' } },
    },
  };
  Reflect.defineMetadata(SWAGGER.response, { ...responses(route), 202: accepted }, submit);
  const parameters = [
    ...described(Reflect.getMetadata(SWAGGER.parameters, route.original)),
    header('Idempotency-Key', 'Names the request, so that repeating it makes no second intent.'),
    header('Prefer', 'wait=N answers the result itself when it is there within N s.'),
  ];
  Reflect.defineMetadata(SWAGGER.parameters, parameters, submit);
}

/** Documents a route of an intent: what it takes and answers. */
export function describeSibling(route: DurableRoute, sibling: Sibling, answer: object): void {
  const { summary, parts, verb } = sibling;
  if (summary === null) {
    Reflect.defineMetadata(SWAGGER.exclude, { disable: true }, answer);
    return;
  }
  const [part] = parts;
  Reflect.defineMetadata(SWAGGER.operation, { summary }, answer);
  Reflect.defineMetadata(SWAGGER.parameters, parametersOf(route, part), answer);
  Reflect.defineMetadata(
    SWAGGER.response,
    { ...answersOf(route, part, verb), '4XX': PROBLEM() },
    answer,
  );
}

function answersOf(route: DurableRoute, part: IntentPart, verb: RequestMethod): Described {
  const { snapshot, eventList, signaled, submitted } = wireJsonSchemas();
  if (part === '/events') {
    const text = { type: 'string', description: 'Server-sent events: id is the seq.' };
    const content = {
      'text/event-stream': { schema: text },
      'application/json': { schema: eventList },
    };
    return { 200: { description: 'The events.', content } };
  }
  if (part === '/result') {
    const successes = Object.entries(responses(route)).filter(([status]) => status.startsWith('2'));
    const usual = { [route.status]: { description: "The method's own response." } };
    return successes.length > 0 ? Object.fromEntries(successes) : usual;
  }
  if (part === '/retry') {
    const content = { 'application/json': { schema: submitted } };
    return { 202: { description: 'Accepted: a new intent.', content } };
  }
  if (part === '/output') return { 200: { description: 'The output of the method.' } };
  if (part === '/signals/:signal_name') {
    const stored = { 'application/json': { schema: signaled } };
    return { 202: { description: 'The signal is stored.', content: stored } };
  }
  const content = { 'application/json': { schema: snapshot } };
  const now = { 200: { description: 'The intent.', content } };
  if (verb === RequestMethod.GET) return now;
  return { ...now, 202: { description: 'The intent winds down.', content } };
}

function PROBLEM(): Described {
  const content = { 'application/problem+json': { schema: wireJsonSchemas().problem } };
  return { description: 'A problem, with its code and what to do.', content };
}

/** The parameters of the path, as the app describes them, and those of the route itself. */
function parametersOf(route: DurableRoute, part: IntentPart): Described[] {
  const own = described(Reflect.getMetadata(SWAGGER.parameters, route.original));
  const paths = [...nestPaths(route.type), ...nestPaths(route.original)];
  const names = paths.flatMap((path) => [...path.matchAll(/:(\w+)/g)].map(([, name]) => name));
  const inPath = [...new Set(names)].map((name) => {
    const known = own.find((one) => one['in'] === 'path' && one['name'] === name);
    return known ?? { name, in: 'path', required: true, schema: { type: 'string' } };
  });
  const id = {
    name: ID_PARAM,
    in: 'path',
    required: true,
    schema: { type: 'string', format: 'uuid' },
  };
  const signal = { name: 'signal_name', in: 'path', required: true, schema: { type: 'string' } };
  return [
    ...inPath,
    id,
    ...(part === '/events' ? EVENTS_PARAMETERS : []),
    ...(part === '/signals/:signal_name' ? [signal] : []),
  ];
}

const EVENTS_PARAMETERS: readonly Described[] = [
  {
    name: 'since',
    in: 'query',
    required: false,
    description: 'The seq of the last event that is known.',
    schema: { type: 'integer', minimum: 0 },
  },
  {
    name: 'wait_seconds',
    in: 'query',
    required: false,
    description: 'Closes the stream after so long.',
    schema: { type: 'integer', minimum: 1 },
  },
];

function header(name: string, description: string): Described {
  return { name, in: 'header', required: false, description, schema: { type: 'string' } };
}

function responses(route: DurableRoute): Described {
  const given: unknown = Reflect.getMetadata(SWAGGER.response, route.original);
  return typeof given === 'object' && given !== null ? { ...given } : {};
}

function described(given: unknown): Described[] {
  return Array.isArray(given) ? given.filter((one) => typeof one === 'object') : [];
}
