import { describe, expect, it } from 'vitest';
import { openBed, plainRequest, respond } from '../support/bed.ts';

/** What no store can keep apart, or at all. */
const UNFIT = ['\ud800', 'tenant \udfff', 'a\0b', 'a'.repeat(1_025), '€'.repeat(342)];

describe('an owner that no store keeps', () => {
  it.each(UNFIT)('is refused when identify() names it', async (owner) => {
    const bed = openBed(async () => respond(), { identify: () => owner });
    const reply = await bed.api.handle(bed.operation, plainRequest('POST', '/'));
    expect(reply).toMatchObject({ status: 403 });
    expect(bed.data.entries.size).toBe(0);
  });

  it.each(UNFIT)('is refused when code names it', async (owner) => {
    const bed = openBed(async () => respond());
    const refusal = { code: 'owner_forbidden' };
    const submit = bed.api.intents.submit(bed.operation.name, {}, { owner });
    await expect(submit).rejects.toMatchObject(refusal);
    await expect(bed.api.intents.list({ owner })).rejects.toMatchObject(refusal);
  });
});
