import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Answer, Call, WorkerMessage } from './channel.ts';
import { DatabaseSession } from './database-session.ts';
import { failureOf, isOfTheFile } from './store-failure.ts';

const port = parentPort;
if (port === null) throw new Error('This module is the worker thread of sqliteStore.');
const path = String(workerData);
let session: DatabaseSession | null = null;

const tell = (message: WorkerMessage): void => port.postMessage(message);

/** The session, opened by the first call that needs it; a failure is tried again by the next. */
function opened(): DatabaseSession {
  return (session ??= new DatabaseSession(path, tell));
}

function closeSession(): void {
  session?.close();
  session = null;
}

/** Lets go of a file that was taken away, so that the next call opens what is at its path then. */
function abandonSession(): void {
  try {
    closeSession();
  } catch {
    // Its folder may be gone too.
  }
  session = null;
}

/** Answers calls in one transaction; if one of them fails, each in one of its own. */
function answerTogether(calls: readonly Call[], kind: 'write' | 'read'): Answer[] {
  if (calls.length === 0) return [];
  try {
    return opened().answer(calls, kind);
  } catch (error) {
    // What is wrong with the file is wrong for all; what is wrong with a call must not fail others.
    if (calls.length === 1 || isOfTheFile(error)) {
      const failure = failureOf(error);
      if (session?.isMoved === true) abandonSession();
      return calls.map(({ id }) => ({ id, failure }));
    }
    return calls.flatMap((call) => answerTogether([call], kind));
  }
}

port.on('message', (first: readonly Call[]) => {
  const calls = [...first];
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
    calls.push(...next.message);
  }
  session?.hear();
  const closing = calls.filter(({ name }) => name === 'close');
  const writes = calls.filter(({ name }) => DatabaseSession.isWrite(name));
  const reads = calls.filter(({ name }) => name !== 'close' && !DatabaseSession.isWrite(name));
  const answers = [...answerTogether(writes, 'write'), ...answerTogether(reads, 'read')];
  if (closing.length > 0) closeSession();
  tell({
    kind: 'answers',
    answers: [...answers, ...closing.map(({ id }) => ({ id, gives: null }))],
  });
});
