import { describe, expect, it } from 'vitest';
import { Watchman } from '../src/watchman.ts';
import { ManualClock } from './support/manual-clock.ts';

/** Processes that hear each other at once, as long as they live. */
class Company {
  readonly clock = new ManualClock();
  readonly log: string[] = [];
  readonly #members = new Map<string, Watchman>();
  #watching: string | null = null;
  isMute = false;

  join(name: string, random = 0.5): void {
    const watchman = new Watchman({
      clock: this.clock,
      random: () => random,
      stand: async () => {
        this.log.push(`${name} stands`);
        this.#watching ??= name;
        return this.#watching === name;
      },
      beat: async () => {
        this.log.push(`${name} beats`);
        if (!this.isMute) for (const member of this.#members.values()) member.heardBeat();
        return new Set(this.#members.keys());
      },
      alarm: async () => void this.log.push(`${name} alarms`),
      look: () => this.log.push(`${name} looks`),
    });
    for (const member of this.#members.values()) member.heardOf(name);
    this.#members.set(name, watchman);
    watchman.start();
  }

  /** Ends a process without a word. */
  kill(name: string): void {
    this.#members.get(name)?.stop();
    this.#members.delete(name);
    if (this.#watching === name) this.#watching = null;
  }

  /** What is logged in the next `ms`. */
  async pass(ms: number): Promise<readonly string[]> {
    this.log.length = 0;
    for (let passed = 0; passed < ms; passed += 100) {
      this.clock.advance(100);
      for (let i = 0; i < 10; i += 1) await Promise.resolve();
    }
    return this.log;
  }
}

async function company(): Promise<Company> {
  const all = new Company();
  all.join('a', 0);
  all.join('b', 0.5);
  all.join('c', 0.9);
  await all.pass(3_100);
  return all;
}

describe('of those that listen', () => {
  it('the first to lose patience watches, and has all look at what came before', async () => {
    expect((await company()).log).toEqual(['a stands', 'a beats', 'a alarms']);
  });

  it('one beats every 2 s, and the others ask for nothing', async () => {
    const all = await company();
    expect(await all.pass(10_000)).toEqual(Array.from({ length: 5 }, () => 'a beats'));
  });

  it('one that has gone without a word is noticed within 2 s', async () => {
    const all = await company();
    all.kill('c');
    expect(await all.pass(2_000)).toEqual(['a beats', 'a alarms']);
    expect(await all.pass(2_000)).toEqual(['a beats']);
  });

  it('one that came and has gone between two looks is noticed too', async () => {
    const all = await company();
    all.join('d');
    await all.pass(500);
    all.kill('d');
    expect(await all.pass(2_000)).toContain('a alarms');
  });

  it('the one that watches is replaced within 3 s when it has gone', async () => {
    const all = await company();
    all.kill('a');
    expect(await all.pass(3_000)).toEqual(['b stands', 'b beats', 'b alarms']);
  });

  it('all look for themselves while the one that watches is stuck', async () => {
    const all = await company();
    all.isMute = true;
    const log = await all.pass(5_000);
    expect(log).toContain('b looks');
    expect(log).toContain('c looks');
  });
});
