import { invalid } from '../http/errors.ts';
import { isObject, type JsonObject } from '../http/json.ts';

/**
 * Checks what a form was filled in with: the members that its schema requires, and the types and choices of
 * those that it names. Command lines send texts, so a text that reads as the wanted type is one.
 * @throws AxpError 422
 */
export function checkForm(schema: JsonObject, given: JsonObject, outcome: string): void {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const approved = properties['approved'];
  const isDerived =
    isObject(approved) && approved['type'] === 'boolean' && given['approved'] === undefined;
  const values: JsonObject = isDerived ? { ...given, approved: outcome === 'approved' } : given;
  const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : [];
  for (const name of required) {
    if (typeof name === 'string' && values[name] === undefined) {
      throw invalid(`the form needs ${name}`, { field: name });
    }
  }
  for (const [name, property] of Object.entries(properties)) {
    const value = values[name];
    if (value !== undefined && isObject(property)) checkValue(name, property, value);
  }
}

function checkValue(name: string, property: JsonObject, given: unknown): void {
  const value = coerced(given, property['type']);
  const { type, enum: choices } = property;
  if (typeof type === 'string' && !isOfType(value, type)) {
    throw invalid(`${name} must be of type ${type}`, { field: name });
  }
  if (Array.isArray(choices) && !choices.includes(value)) {
    throw invalid(`${name} must be one of ${choices.join(', ')}`, { field: name });
  }
}

function coerced(value: unknown, type: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'boolean' && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  const isNumber = (type === 'number' || type === 'integer') && value.trim() !== '';
  return isNumber && Number.isFinite(Number(value)) ? Number(value) : value;
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'number':
      return typeof value === 'number';
    case 'integer':
      return Number.isInteger(value);
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    default:
      return true;
  }
}
