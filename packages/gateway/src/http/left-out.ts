/**
 * Families of the protocol that are not served: messengers, tenants, billing, other protocols. They are
 * answered 404 with the protocol's own error body, also where an app has routes of its own beside ours.
 */
export const LEFT_OUT: readonly string[] = [
  'users',
  'invites',
  'media',
  'mcp',
  'organizations',
  'members',
  'access-requests',
  'principals',
  'aliases',
  'routing',
  'transports',
  'deliveries',
  'quotas',
  'usage',
  'billing',
  'sessions',
  'matrix',
  'auth',
  'alpha',
  'tool-registry',
  'portal',
];
