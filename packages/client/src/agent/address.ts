import { usage } from '../options.ts';

/** The path of an agent's address: its parts, or one part for schemes that are none of agents. */
export function addressPath(address: string): string {
  const name = address.replace(/^agent:\/\//i, '');
  if (name === '' || name.startsWith('/')) {
    throw usage(`An agent's address is like agent://org/workspace/name, not "${address}".`);
  }
  const parts = name.includes('://') ? [name] : name.split('/');
  return parts.map(encodeURIComponent).join('/');
}
