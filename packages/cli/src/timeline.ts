import { failureOf, progressOf, type Progress, type WireEvent } from '@durable-api/client';
import { painter, plain, type Output, type Style, type Terminal } from './terminal.ts';

const STYLES: Readonly<Partial<Record<WireEvent['status'], Style>>> = {
  IN_PROGRESS: 'cyan',
  WAITING: 'yellow',
  COMPLETED: 'green',
  FAILED: 'red',
  CANCELED: 'yellow',
  TIMED_OUT: 'red',
};

/** Shows what happens to an operation: a line per event and, on a terminal, a bar below them. */
export class Timeline {
  readonly #output: Output;
  readonly #paint: ReturnType<typeof painter>;
  #hasBar = false;

  constructor(terminal: Terminal) {
    this.#output = terminal.stdout;
    this.#paint = painter(terminal, this.#output);
  }

  show(event: WireEvent): void {
    const progress = progressOf(event);
    if (progress !== null && this.#output.isTTY === true) return this.#drawBar(progress);
    this.clear();
    this.#output.write(`${this.#line(event, progress)}\n`);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#hasBar) this.#output.write('\r\u001B[2K');
    this.#hasBar = false;
  }

  #line(event: WireEvent, progress: Progress | null): string {
    const paint = this.#paint;
    const parts = [
      paint('dim', event.at.slice(11, 23)),
      paint('dim', `#${event.seq}`.padStart(4)),
      paint(STYLES[event.status] ?? 'blue', event.status.padEnd(12)),
      event.event_type.replace(/^intent\./, ''),
    ];
    if (event.attempt !== undefined && event.attempt > 1) parts.push(`attempt ${event.attempt}`);
    if (progress !== null) parts.push(sayProgress(progress));
    const failure = failureOf(event);
    if (failure !== null) {
      parts.push(paint('red', plain(`${failure.code}: ${failure.message}`)));
    }
    if (event.waiting_reason !== undefined) parts.push(paint('yellow', event.waiting_reason));
    return parts.join(' ');
  }

  #drawBar(progress: Progress): void {
    this.clear();
    const columns = this.#output.columns ?? 80;
    // What goes over the edge of the terminal could not be taken away again.
    const text = sayProgress(progress).slice(0, columns - 1);
    const room = Math.min(40, columns - text.length - 3);
    const full = Math.round((progress.fraction ?? 0) * Math.max(0, room));
    const bar = room < 4 ? '' : `${'█'.repeat(full)}${'░'.repeat(room - full)} `;
    this.#output.write(this.#paint('cyan', bar) + text);
    this.#hasBar = true;
  }
}

function sayProgress({ fraction, current, total, message }: Progress): string {
  const parts: string[] = [];
  if (fraction !== undefined) parts.push(`${Math.round(fraction * 100)} %`);
  if (current !== undefined) parts.push(`${current}${total === undefined ? '' : `/${total}`}`);
  if (message !== undefined) parts.push(plain(message));
  return parts.join(' ');
}
