import { setTimeout as delay } from 'node:timers/promises';
import { eventSchema, type WireEvent } from '@durable-api/protocol';
import { EventSourceParserStream } from 'eventsource-parser/stream';

/** Follows an intent to its end as a browser's EventSource does: reconnects with `Last-Event-ID`. */
export async function* followEvents(url: string): AsyncGenerator<WireEvent> {
  let lastId = '';
  for (;;) {
    const headers = { accept: 'text/event-stream', ...(lastId && { 'last-event-id': lastId }) };
    const response = await fetch(url, { headers }).catch(() => null);
    if (response?.status === 204) return;
    if (response?.body) {
      const events = response.body
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream());
      try {
        for await (const { id = '', data } of events) {
          lastId = id;
          yield eventSchema.parse(JSON.parse(data));
        }
      } catch {
        console.log('  … the stream broke; reconnecting with Last-Event-ID', lastId);
      }
    }
    await delay(250);
  }
}
