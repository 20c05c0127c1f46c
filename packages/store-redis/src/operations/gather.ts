/** What succeeded; throws when something was asked and nothing did. */
export async function gather<Value>(
  asked: readonly Promise<Value>[],
): Promise<{ readonly values: readonly Value[]; readonly hasFailures: boolean }> {
  const settled = await Promise.allSettled(asked);
  const values = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed !== undefined && values.length === 0) throw failed.reason;
  return { values, hasFailures: failed !== undefined };
}
