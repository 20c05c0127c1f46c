import { BlockList, isIP } from 'node:net';

/** What is not the public internet, of IPv4: IANA's special-purpose registry, multicast, and the reserved. */
const SPECIAL_V4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by carriers
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, and the metadata of clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocols
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];

/**
 * All of IPv6 that is given out is in here: loopback, link-local, unique-local, multicast, IPv4-mapped and
 * NAT64 addresses are not.
 */
const GLOBAL_V6 = '2000::/3';

/** What in there is not the public internet, or leads to an IPv4 address that may not be. */
const SPECIAL_V6 = [
  '2001::/23', // protocols, with Teredo
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
];

/** Which addresses a webhook may be delivered to. */
export class AddressRules {
  readonly #allowed = new BlockList();
  readonly #global = new BlockList();
  readonly #special = new BlockList();

  /** `allowed` are subnets that may be delivered to although they are not public; see {@link isSubnet}. */
  constructor(allowed: readonly string[]) {
    for (const subnet of allowed) add(this.#allowed, subnet);
    add(this.#global, GLOBAL_V6);
    for (const subnet of [...SPECIAL_V4, ...SPECIAL_V6]) add(this.#special, subnet);
  }

  /** Whether this is an address of the public internet, or one of those that are allowed beside. */
  mayReach(address: string): boolean {
    const family = isIP(address);
    // An address with a zone is of one link.
    if (family === 0 || address.includes('%')) return false;
    const type = family === 4 ? 'ipv4' : 'ipv6';
    if (this.#allowed.check(address, type)) return true;
    if (this.#special.check(address, type)) return false;
    return family === 4 || this.#global.check(address, type);
  }
}

/** Whether `text` is a subnet such as `10.0.0.0/8` or `fd00::/8`. */
export function isSubnet(text: unknown): text is string {
  const [, address = '', bits = ''] =
    typeof text === 'string' ? (/^([^/%]+)\/(\d{1,3})$/.exec(text) ?? []) : [];
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
}

function add(list: BlockList, subnet: string): void {
  const [address = '', bits = ''] = subnet.split('/');
  list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6');
}
