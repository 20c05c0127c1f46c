import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  preParsingHookHandler,
  RouteOptions,
} from 'fastify';
import { pickOptions, withoutServerTimeout, type DeclaredRoute } from './declared-route.ts';
import { describeSibling, type SiblingPart } from './describe.ts';
import { answerBodyErrors } from './error-handler.ts';

/** Answers a request for an intent. */
export type SiblingHandler = (
  request: FastifyRequest,
  reply: FastifyReply,
  intentId: string,
  /** What follows the id in the path, as core knows it. */
  rest: string,
) => Promise<unknown>;

/** What the routes of intents are made of. */
export interface SiblingSetup {
  readonly handler: SiblingHandler;
  /** Whether there is a route that gives tickets. */
  readonly hasTickets: boolean;
}

/** Marks, in its config, the route of an intent's events. */
export const EVENTS_OF_INTENT = 'durableEventsOfIntent';

/** The name of the path parameter that holds the id. */
const ID_PARAM = 'intent_id';
/** The name of the path parameter that holds the name of a signal. */
const SIGNAL_PARAM = 'signal_name';

/** What core takes for an intent id or for a mistyped one. Other paths are left to the app's routes. */
const ID_PATTERN = '^[0-9a-fA-F-]{30,40}$';

/** The methods of each part of an intent. Others are answered too, with 405 and what is allowed. */
const OFFERED: Readonly<Record<SiblingPart, readonly string[]>> = {
  '': ['GET', 'DELETE'],
  '/events': ['GET'],
  '/result': ['GET'],
  '/cancel': ['POST'],
  '/retry': ['POST'],
  '/ticket': ['POST'],
  '/output': ['GET'],
  '/signals': ['POST'],
};

const PARTS: readonly SiblingPart[] = [
  '',
  '/events',
  '/result',
  '/output',
  '/cancel',
  '/retry',
  '/signals',
];
/** Only where tickets are on. */
const TICKET_PARTS: readonly SiblingPart[] = ['/ticket'];
const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * The routes of a durable route's intents, to be added to its scope. They have its hooks, so that who
 * may not submit may not observe either, and nothing of what concerns its body and its handler.
 */
export function siblingRoutes(
  scope: FastifyInstance,
  route: DeclaredRoute,
  { handler, hasTickets }: SiblingSetup,
): readonly RouteOptions[] {
  const inherited = inheritedOptions(scope, route);
  return [...PARTS, ...(hasTickets ? TICKET_PARTS : [])].flatMap((part): RouteOptions[] => {
    const common = {
      ...inherited,
      ...(part === '/events' && { config: { ...inherited.config, [EVENTS_OF_INTENT]: true } }),
      url: `${route.routePath.replace(/\/$/, '')}/:${ID_PARAM}(${ID_PATTERN})${part}${tailOf(part)}`,
      handler: (request: FastifyRequest, reply: FastifyReply) => {
        const tail = part === '/signals' ? `/${paramOf(request, SIGNAL_PARAM)}` : '';
        return handler(request, reply, paramOf(request, ID_PARAM), part + tail);
      },
    };
    const offered = OFFERED[part];
    const described = offered.map((method) => {
      return { ...common, method, schema: describeSibling(route, ID_PARAM, method, part) };
    });
    if (part === '/ticket') return described;
    const others = METHODS.filter((method) => !offered.includes(method));
    const hidden: object = { hide: true };
    return [...described, { ...common, method: others, schema: hidden }];
  });
}

function inheritedOptions(scope: FastifyInstance, route: DeclaredRoute): Partial<RouteOptions> {
  const { durable: _durable, ...config } = { ...route.config };
  return {
    ...pickOptions(route, [
      'onRequest',
      'preValidation',
      'preHandler',
      'constraints',
      'logLevel',
      'logSerializers',
      'childLoggerFactory',
    ]),
    ...withoutServerTimeout(scope),
    config,
    preParsing: [ignoreEmptyBody, ...[route.preParsing ?? []].flat()],
    errorHandler: answerBodyErrors(route.errorHandler),
    // The contract has HEAD, also in an app that wants it nowhere else.
    exposeHeadRoute: true,
    // The schemas describe these routes. Core validates and serialises, and a type provider of the app
    // would not understand them.
    validatorCompiler: () => () => true,
    serializerCompiler: () => (data: unknown) => JSON.stringify(data),
  };
}

/** Clients send `Content-Type: application/json` also with a cancel that has no body. */
const ignoreEmptyBody: preParsingHookHandler = (request, _reply, payload, done) => {
  const { headers } = request.raw;
  const hasBody = 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
  if (!hasBody) delete headers['content-type'];
  done(null, payload);
};

/** The id in the path of a route of an intent. */
export function intentIdOf(request: FastifyRequest): string {
  return paramOf(request, ID_PARAM);
}

function tailOf(part: SiblingPart): string {
  return part === '/signals' ? `/:${SIGNAL_PARAM}` : '';
}

function paramOf({ params }: FastifyRequest, name: string): string {
  return typeof params === 'object' && params !== null ? String(Reflect.get(params, name)) : '';
}
