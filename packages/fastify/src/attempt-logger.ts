import type { FastifyInstance, RouteOptions } from 'fastify';
import { AttemptRequest } from './attempt-request.ts';

type ChildLoggerFactory = NonNullable<RouteOptions['childLoggerFactory']>;

/**
 * Makes the logger of an attempt: that of the app for the request that was submitted, with its id, and
 * with the intent and the attempt beside it.
 */
export function attemptLogger(
  scope: FastifyInstance,
  ofRoute: ChildLoggerFactory | undefined,
): ChildLoggerFactory {
  return (logger, bindings, options, rawRequest) => {
    // Late: the app may set its factory after the route.
    const ofApp = ofRoute ?? scope.childLoggerFactory;
    if (!(rawRequest instanceof AttemptRequest)) {
      return ofApp.call(scope, logger, bindings, options, rawRequest);
    }
    rawRequest.showUrl();
    const { stored, context } = rawRequest;
    const ids = Object.keys(bindings).map((label) => [label, stored.id]);
    const { intentId, attempt } = context;
    const ours = { ...Object.fromEntries(ids), intentId, attempt };
    return ofApp.call(scope, logger, ours, options, rawRequest);
  };
}
