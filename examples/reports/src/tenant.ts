/** The tenant that an `Authorization` header names; null when it names none that there is. */
export function tenantOf(authorization: string | undefined): string | null {
  const token = /^Bearer (tenant-[ab])$/.exec(authorization ?? '');
  return token?.[1] ?? null;
}
