/** How an operation is named where the protocol has addresses. */
export function operationRef(name: string): string {
  return `operation://${encodeURIComponent(name)}`;
}
