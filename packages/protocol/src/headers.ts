/** Header names of the contract, lower case as Node presents them. */
export const HEADERS = {
  accept: 'accept',
  allow: 'allow',
  cacheControl: 'cache-control',
  contentType: 'content-type',
  etag: 'etag',
  idempotencyKey: 'idempotency-key',
  idempotencyReplayed: 'idempotency-replayed',
  ifNoneMatch: 'if-none-match',
  incremental: 'incremental',
  intentDeduplicated: 'intent-deduplicated',
  intentId: 'intent-id',
  lastEventId: 'last-event-id',
  link: 'link',
  location: 'location',
  nosniff: 'x-content-type-options',
  prefer: 'prefer',
  preferenceApplied: 'preference-applied',
  retryAfter: 'retry-after',
  vary: 'vary',
  webhookId: 'webhook-id',
  webhookSignature: 'webhook-signature',
  webhookTimestamp: 'webhook-timestamp',
  accelBuffering: 'x-accel-buffering',
} as const;

/** Media types of the contract. */
export const MEDIA_TYPES = {
  json: 'application/json; charset=utf-8',
  problem: 'application/problem+json; charset=utf-8',
  sse: 'text/event-stream',
  ndjson: 'application/x-ndjson',
} as const;
