/** Where the library reports what it cannot tell a caller; the call shape of pino. */
export interface Logger {
  debug(context: object, message: string): void;
  info(context: object, message: string): void;
  warn(context: object, message: string): void;
  error(context: object, message: string): void;
}

/** A logger that says nothing; the default. */
export function silentLogger(): Logger {
  const nothing = (): void => {};
  return { debug: nothing, info: nothing, warn: nothing, error: nothing };
}

/** A logger that says `context` with everything. */
export function boundLogger(logger: Logger, context: object): Logger {
  return {
    debug: (more, message) => logger.debug({ ...context, ...more }, message),
    info: (more, message) => logger.info({ ...context, ...more }, message),
    warn: (more, message) => logger.warn({ ...context, ...more }, message),
    error: (more, message) => logger.error({ ...context, ...more }, message),
  };
}
