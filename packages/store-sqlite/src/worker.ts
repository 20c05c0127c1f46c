import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Answer, Call, WorkerMessage } from './channel.ts';
import { DatabaseSession } from './database-session.ts';
import { failureOf } from './store-failure.ts';

const port = parentPort;
if (port === null) throw new Error('This module is the worker thread of sqliteStore.');
const path = String(workerData);
let session: DatabaseSession | null = null;

const tell = (message: WorkerMessage): void => port.postMessage(message);

/** The session, opened by the first call that needs it; a failure is tried again by the next. */
function opened(): DatabaseSession {
  return (session ??= new DatabaseSession(path, tell));
}

function answerOne(call: Call): Answer {
  try {
    if (call.name === 'close') {
      session?.close();
      session = null;
      return { id: call.id, gives: null };
    }
    return { id: call.id, gives: opened().answer(call) };
  } catch (error) {
    return { id: call.id, failure: failureOf(error) };
  }
}

/** All writes in one transaction; if that fails, each in one of its own, so that none fails for another. */
function answerWrites(calls: readonly Call[]): Answer[] {
  if (calls.length === 0) return [];
  try {
    return opened().answerWrites(calls);
  } catch (error) {
    if (calls.length > 1) return calls.flatMap((call) => answerWrites([call]));
    return calls.map(({ id }) => ({ id, failure: failureOf(error) }));
  }
}

port.on('message', (first: Call) => {
  const calls = [first];
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
    calls.push(next.message);
  }
  session?.hear();
  const isWrite = (call: Call): boolean => DatabaseSession.isWrite(call.name);
  const answers = [
    ...answerWrites(calls.filter(isWrite)),
    ...calls.filter((call) => !isWrite(call)).map(answerOne),
  ];
  tell({ kind: 'answers', answers });
});
