import { problemSchema, type ProblemCode, PROBLEMS, type WireProblem } from '@durable-api/protocol';
import { expect } from 'vitest';
import type { Answer } from './http-client.ts';
import type { TestServer } from './test-server.ts';

/** Expects the problem document of `code`, with advice and without internals, and returns it. */
export function expectProblem(answer: Answer, code: ProblemCode): WireProblem {
  expect(answer.headers['content-type'], answer.text).toMatch(/^application\/problem\+json\b/);
  const problem = problemSchema.parse(answer.json);
  expect(problem).toMatchObject({
    code,
    status: PROBLEMS[code][0],
    title: PROBLEMS[code][1],
    type: `urn:durable-api:problem:${code}`,
  });
  expect(answer.status).toBe(PROBLEMS[code][0]);
  expect(problem.detail.length, 'the detail says what to do').toBeGreaterThan(20);
  expect(answer.text, 'no stack').not.toMatch(/\n?\s+at .+:\d+:\d+|\.ts:|\.js:|node:internal/);
  return problem;
}

/** Expects that the operation at `/op` still does its work. */
export async function expectAlive(server: TestServer): Promise<void> {
  const ended = await server.ended(await server.submit());
  expect(ended.status).toBe('COMPLETED');
}

/** The reason that `signal` is aborted with, when it is. */
export async function abortReason(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
  return signal.reason;
}
