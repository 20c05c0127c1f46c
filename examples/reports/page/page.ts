import {
  DurableClient,
  progressOf,
  failureOf,
  type Operation,
  type WireEvent,
} from '@durable-api/client';

const client = new DurableClient(new URL('.', location.href));

/** What of the page changes. */
const view = {
  form: find('form', HTMLFormElement),
  operation: find('operation', HTMLElement),
  status: find('status', HTMLElement),
  progress: find('progress', HTMLProgressElement),
  percent: find('percent', HTMLElement),
  cancel: find('cancel', HTMLButtonElement),
  result: find('result', HTMLAnchorElement),
  events: find('events', HTMLOListElement),
};

/** What is shown. */
let operation: Operation | null = null;
/** Ends the observation of it. */
let shown = new AbortController();

view.form.addEventListener('submit', (event) => {
  event.preventDefault();
  void submit(new FormData(view.form));
});

view.cancel.addEventListener('click', () => {
  operation?.cancel().catch(complain);
});

async function submit(form: FormData): Promise<void> {
  const report = {
    quarter: form.get('quarter'),
    seconds: Number(form.get('seconds')),
    failures: Number(form.get('failures')),
  };
  try {
    const submitted = await client.submit('/reports/generate', report);
    // A reload of the page finds it again.
    location.hash = submitted.intentId;
    await show(submitted);
  } catch (error) {
    complain(error);
  }
}

async function show(chosen: Operation): Promise<void> {
  operation = chosen;
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  view.events.replaceChildren();
  showFraction(0);
  view.operation.hidden = false;
  view.result.hidden = true;
  view.cancel.hidden = false;
  try {
    // Reconnects by itself, over restarts of the server too; ends with the operation.
    for await (const event of chosen.observe({ signal })) showEvent(event);
  } catch (error) {
    if (!signal.aborted) complain(error);
    return;
  }
  view.cancel.hidden = true;
  view.result.href = `${chosen.url}/result`;
  view.result.hidden = view.status.textContent !== 'COMPLETED';
}

function showEvent(event: WireEvent): void {
  const fraction = event.status === 'COMPLETED' ? 1 : progressOf(event)?.fraction;
  if (fraction !== undefined) showFraction(fraction);
  view.status.textContent = event.status;
  const item = document.createElement('li');
  item.value = event.seq;
  const details = [progressOf(event)?.message, failureOf(event)?.message];
  item.textContent = [event.event_type, ...details].filter(Boolean).join(' ');
  view.events.append(item);
}

function showFraction(fraction: number): void {
  view.progress.value = fraction;
  view.percent.textContent = `${Math.round(fraction * 100)} %`;
}

function complain(error: unknown): void {
  view.operation.hidden = false;
  view.status.textContent = error instanceof Error ? error.message : String(error);
}

function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.querySelector(`#${id}`);
  if (element instanceof type) return element;
  throw new Error(`The page has no #${id}.`);
}

const known = location.hash.slice(1);
if (known !== '') void show(client.operation(known, { path: '/reports/generate' }));
