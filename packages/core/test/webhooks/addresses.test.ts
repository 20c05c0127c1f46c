import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressRules, isSubnet } from '../../src/webhooks/addresses.ts';

const rules = new AddressRules([]);

/** The first and the last address of each range, or one in it. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'this network': ['0.0.0.0', '0.255.255.255'],
  private: [
    '10.0.0.0',
    '10.255.255.255',
    '172.16.0.0',
    '172.31.255.255',
    '192.168.0.0',
    '192.168.255.255',
  ],
  'shared by carriers': ['100.64.0.0', '100.127.255.255'],
  loopback: ['127.0.0.1', '127.255.255.255', '::1'],
  'link-local': [
    '169.254.0.0',
    '169.254.169.254',
    '169.254.255.255',
    'fe80::1',
    'febf::1',
    'fe80::1%eth0',
  ],
  'for protocols': ['192.0.0.0', '192.0.0.255', '192.0.0.170', '2001::1', '2001:1ff:ffff::'],
  'for documentation': [
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '2001:db8::1',
    '3fff::1',
    '3fff:fff::1',
  ],
  'for 6to4': ['192.88.99.1', '2002:7f00:1::1', '2002::'],
  'for benchmarks': ['198.18.0.0', '198.19.255.255'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  reserved: ['240.0.0.0', '255.255.255.255', '4000::1', '::2', '100::1', '1fff::1'],
  unspecified: ['::', '0::0'],
  'unique-local': ['fc00::1', 'fdff::1', 'fd00:ec2::254'],
  'site-local': ['fec0::1'],
  'mapped to IPv4': [
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '::ffff:0:8.8.8.8',
  ],
  'translated to IPv4': ['64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::1'],
};

const REACHED = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:830::200e',
  '2001:200::1',
  '2003::1',
  '3ffe::1',
];

describe('an address', () => {
  it.each(Object.entries(REFUSED))('that is %s may not be reached', (_, addresses) => {
    expect(addresses.filter((address) => rules.mayReach(address))).toEqual([]);
  });

  it('of the public internet may', () => {
    expect(REACHED.filter((address) => !rules.mayReach(address))).toEqual([]);
  });

  it('that is none may not', () => {
    const none = [
      '',
      'localhost',
      '127.1',
      '0x7f000001',
      '2130706433',
      '1.1.1.1/32',
      '[::1]',
      '1.1.1.1 ',
    ];
    expect(none.filter((address) => rules.mayReach(address))).toEqual([]);
  });

  it('may be reached where its subnet is named, and no other then', () => {
    const own = new AddressRules(['10.1.0.0/16', 'fd00::/8', '127.0.0.1/32']);
    expect(['10.1.2.3', 'fd00::1', '127.0.0.1', '1.1.1.1'].every((one) => own.mayReach(one))).toBe(
      true,
    );
    const others = ['10.2.0.0', 'fc00::1', '127.0.0.2', '169.254.169.254', '::1'];
    expect(others.filter((one) => own.mayReach(one))).toEqual([]);
  });

  it('is never reached in IPv6’s clothes when it may not be as it is', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(rules.mayReach(`::ffff:${address}`)).toBe(false);
        expect(rules.mayReach(`64:ff9b::${address}`)).toBe(false);
      }),
    );
  });
});

describe('a subnet', () => {
  it('is an address and the length of its prefix', () => {
    expect(['10.0.0.0/8', '::/0', 'fd00::/8', '1.2.3.4/32', '::1/128'].every(isSubnet)).toBe(true);
    const none = [
      '10.0.0.0',
      '10.0.0.0/33',
      '::1/129',
      'a/8',
      '10.0.0.0/-1',
      'fe80::%a/10',
      '',
      null,
      8,
    ];
    expect(none.filter(isSubnet)).toEqual([]);
  });
});
