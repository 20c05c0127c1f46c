import type { Logger as CoreLogger } from '@durable-api/core';
import { Logger } from '@nestjs/common';

/** Nest's logger, as core calls one: the context goes into the line, the stack of an error after it. */
export function nestLogger(): CoreLogger {
  const logger = new Logger('DurableApi');
  return {
    debug: (context, message) => logger.debug(line(context, message)),
    info: (context, message) => logger.log(line(context, message)),
    warn: (context, message) => logger.warn(line(context, message)),
    error: (context, message) => logger.error(line(context, message), stackOf(context)),
  };
}

function line(context: object, message: string): string {
  const parts = Object.entries(context).map(([key, value]) => {
    if (key === 'err') return value instanceof Error ? value.message : String(value);
    return `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });
  return parts.length === 0 ? message : `${message} (${parts.join(', ')})`;
}

function stackOf(context: object): string | undefined {
  return 'err' in context && context.err instanceof Error ? context.err.stack : undefined;
}
