import { expect, it } from 'vitest';
import { wireJsonSchemas } from './json-schemas.ts';

it('describes every document of the wire, with what is required, in the words of OpenAPI 3.0', () => {
  const { submitted, snapshot, eventList, problem } = wireJsonSchemas();
  expect(submitted).toMatchObject({
    type: 'object',
    required: ['ok', 'intent_id', 'status', 'created_at', 'links'],
    properties: {
      ok: { type: 'boolean', enum: [true] },
      created_at: { type: 'string', format: 'date-time' },
    },
  });
  expect(snapshot).toMatchObject({ properties: { seq: { type: 'integer', minimum: 1 } } });
  expect(eventList).toMatchObject({ properties: { events: { type: 'array' } } });
  expect(problem).toMatchObject({ properties: { code: { type: 'string' } } });
  const text = JSON.stringify([submitted, snapshot, eventList, problem]);
  expect(text).not.toMatch(/\$schema|propertyNames|"const"|"pattern":"\^\(\?:\(\?:/);
});

it('lets documents have members that are added later', () => {
  expect(JSON.stringify(wireJsonSchemas())).not.toContain('"additionalProperties":false');
});
