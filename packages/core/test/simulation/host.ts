import type { Clock } from '../../src/clock.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';

/**
 * One process of a simulated host. What happens in it happens through {@link HostProcess.enter}: a
 * frozen process does it all when it wakes, a crashed one never.
 */
export class HostProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly #backlog: (() => void)[] = [];
  #state: 'running' | 'frozen' | 'dead' = 'running';
  readonly #onDeath: (() => void)[] = [];

  constructor(name: string, world: VirtualClock, skewMs: number) {
    this.name = name;
    this.clock = {
      now: () => world.now() + skewMs,
      setTimeout: (fire, delayMs) => world.setTimeout(() => this.enter(fire), delayMs),
    };
  }

  get isAlive(): boolean {
    return this.#state !== 'dead';
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  enter(action: () => void): void {
    if (this.#state === 'running') action();
    else if (this.#state === 'frozen') this.#backlog.push(action);
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    for (const action of this.#backlog.splice(0)) this.enter(action);
  }

  /** Dies without a word; connections to it break. */
  crash(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    for (const listener of this.#onDeath.splice(0)) listener();
  }

  onDeath(listener: () => void): void {
    this.#onDeath.push(listener);
  }
}
