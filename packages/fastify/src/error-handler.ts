import type { RouteOptions } from 'fastify';
import { bodyProblem } from './body-errors.ts';

type ErrorHandler = NonNullable<RouteOptions['errorHandler']>;

/**
 * The error handler of a route of ours: a body that cannot be read is answered with a problem, and
 * every other error by the route's own handler, else by the scope's.
 */
export function answerBodyErrors(ofRoute: ErrorHandler | undefined): ErrorHandler {
  return function handleError(error, request, reply) {
    const problem = bodyProblem(error);
    if (problem !== null) {
      reply.code(problem.status).headers(problem.headers).send(problem.body);
    } else if (ofRoute !== undefined) return ofRoute.call(this, error, request, reply);
    // Fastify hands what is thrown here to the next handler, if it is an error.
    else if (error instanceof Error) throw error;
    else request.server.errorHandler(error, request, reply);
  };
}
