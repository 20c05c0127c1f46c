/** What the doctor found out about one thing. */
export interface Finding {
  readonly check: string;
  readonly level: 'ok' | 'warn' | 'fail' | 'skip';
  /** What is so and, unless it is fine, what to do. */
  readonly message: string;
}

/** Makes a finding. */
export function finding(check: string, level: Finding['level'], message: string): Finding {
  return { check, level, message };
}
