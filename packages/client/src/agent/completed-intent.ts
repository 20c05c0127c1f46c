import { invalid } from '../answer.ts';
import { OperationCanceledError, OperationFailedError, OperationTimedOutError } from '../errors.ts';
import { isFlag, isText } from '../wire.ts';
import type { Intent, JsonObject } from './wire.ts';

/** An intent that is COMPLETED, with its result. */
export interface CompletedIntent extends Intent {
  readonly status: 'COMPLETED';
  readonly result: JsonObject;
}

/** The intent, if it is COMPLETED. @throws OperationFailedError and its like by how else it ended. */
export function completed(intent: Intent, url: string): CompletedIntent {
  const { status, reason, error, result } = intent;
  if (status === 'COMPLETED') return { ...intent, status, result: result ?? {} };
  const which = `The intent ${intent.intent_id}`;
  if (status === 'CANCELED')
    throw new OperationCanceledError(reason ?? `${which} was canceled.`, {});
  if (status === 'TIMED_OUT') {
    throw new OperationTimedOutError(`${which} missed its deadline.`, { cause: reason });
  }
  if (status === 'FAILED') throw failed(error ?? {}, `${which} failed.`);
  throw invalid({ url, status: 200 }, `the intent is ${status} after its end`);
}

/** What an agent says of its failure is its own; the usual members are read where they are. */
function failed(error: JsonObject, otherwise: string): OperationFailedError {
  const { code, message, reason, retryable } = error;
  const said = [message, reason].find((text) => isText(text)) ?? otherwise;
  const failure = {
    code: isText(code) ? code : 'unknown',
    message: said,
    retryable: isFlag(retryable) && retryable,
  };
  return new OperationFailedError(failure, { cause: error });
}
