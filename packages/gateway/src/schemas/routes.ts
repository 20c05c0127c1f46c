import type { FullReply } from '@durable-api/core';
import { answerOnce } from '../calls/answer-once.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError, invalid } from '../http/errors.ts';
import { field, optionalObject, optionalText, text } from '../http/fields.ts';
import type { JsonObject } from '../http/json.ts';
import { tooLarge } from '../http/read-body.ts';
import { ok, type GatewayRequest, type Route } from '../http/route.ts';

const SEMANTIC_TYPE = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+){3,}$/;
const MODES = ['strict', 'backward', 'warn'];
const SCOPES = ['tenant', 'core'];
/** Largest schema, in bytes: all of them are in memory. */
const MAX_BYTES = 65_536;

/** `/v1/schemas` */
export function schemaRoutes(core: GatewayCore): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/schemas',
      answer: (request) =>
        answerOnce(core, request, 'POST /v1/schemas', () => putSchema(core, request)),
    },
    { method: 'GET', path: '/v1/schemas/:type', answer: (request) => getSchema(core, request) },
  ];
}

async function putSchema(core: GatewayCore, request: GatewayRequest): Promise<JsonObject> {
  const { body, caller, ownerAgent } = request;
  const schemaJson = optionalObject(field(body, 'schema_json'), 'schema_json');
  if (schemaJson === undefined) throw invalid('schema_json must be an object');
  if (Buffer.byteLength(JSON.stringify(schemaJson)) > MAX_BYTES) {
    throw tooLarge(MAX_BYTES, 'The schema');
  }
  const active = field(body, 'active') ?? true;
  if (typeof active !== 'boolean') throw invalid('active must be true or false');
  const scope = oneOf(field(body, 'scope') ?? 'tenant', 'scope', SCOPES);
  if (scope === 'core' && caller.kind !== 'admin') {
    throw new AxpError(403, 'policy_denied', 'Only an admin key may keep a schema of the core.');
  }
  const owner = caller.kind === 'agent' ? caller.agent : (ownerAgent ?? null);
  const { schema_json: _json, ...schema } = await core.schemas.put(
    {
      semanticType: semanticType(field(body, 'semantic_type')),
      schemaJson,
      schemaRef:
        optionalText(field(body, 'schema_ref'), 'schema_ref', { min: 1, max: 512 }) ?? null,
      compatibilityMode: oneOf(
        field(body, 'compatibility_mode') ?? 'strict',
        'compatibility_mode',
        MODES,
      ),
      scope,
      ownerAgent: owner,
      active,
    },
    (current) => {
      if (caller.kind === 'admin' || current['owner_agent'] === owner) return;
      throw new AxpError(403, 'policy_denied', 'This schema is another’s.');
    },
  );
  return { ok: true, schema };
}

async function getSchema(core: GatewayCore, { params }: GatewayRequest): Promise<FullReply> {
  const schema = await core.schemas.get(semanticType(params['type']));
  if (schema === null) throw new AxpError(404, 'schema_not_found', 'There is no such schema.');
  return ok({ ok: true, schema });
}

function semanticType(value: unknown): string {
  const type = text(value, 'semantic_type', { min: 7, max: 255 });
  if (SEMANTIC_TYPE.test(type)) return type;
  throw invalid('semantic_type must have four or more parts, like acme.reports.generate.v1');
}

function oneOf(value: unknown, name: string, choices: readonly string[]): string {
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw invalid(`${name} must be one of ${choices.join(', ')}`);
  return choice;
}
