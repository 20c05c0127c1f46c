const $ = (id) => document.getElementById(id);
const TERMINAL = ['intent.completed', 'intent.failed', 'intent.canceled', 'intent.timed_out'];
const TYPES = [
  'intent.created',
  'intent.submitted',
  'intent.delivered',
  'intent.in_progress',
  'intent.progress',
  'intent.waiting',
  'intent.delivery_failed',
  'intent.cancel_requested',
].concat(TERMINAL);

let source;
let current;

$('form').addEventListener('submit', (submitted) => {
  submitted.preventDefault();
  void submit();
});

$('cancel').addEventListener('click', () => {
  void fetch(current.cancel, { method: 'POST' });
});

async function submit() {
  const form = new FormData($('form'));
  const response = await fetch('reports/generate', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
    body: JSON.stringify({
      quarter: form.get('quarter'),
      seconds: Number(form.get('seconds')),
      failures: Number(form.get('failures')),
    }),
  });
  const answer = await response.json();
  if (!response.ok) {
    $('status').textContent = answer.detail ?? answer.error;
    $('operation').hidden = false;
    return;
  }
  observe(answer.links);
}

function observe(links) {
  current = links;
  source?.close();
  $('events').replaceChildren();
  $('progress').value = 0;
  $('operation').hidden = false;
  $('result').hidden = true;
  $('cancel').hidden = false;
  // The browser reconnects by itself, with the id of the last event it has seen.
  source = new EventSource(links.events);
  for (const type of TYPES) {
    source.addEventListener(type, (message) => show(JSON.parse(message.data), links));
  }
}

function show(event, links) {
  $('status').textContent = event.status;
  const { fraction, error } = event.details ?? {};
  if (fraction !== undefined) $('progress').value = fraction;
  const item = document.createElement('li');
  item.value = event.seq;
  item.textContent = [
    event.event_type,
    fraction === undefined ? '' : `${Math.round(fraction * 100)} %`,
    error === undefined ? '' : error.message,
  ].join(' ');
  $('events').append(item);
  if (!TERMINAL.includes(event.event_type)) return;
  source.close();
  $('cancel').hidden = true;
  if (event.event_type !== 'intent.completed') return;
  $('progress').value = 1;
  $('result').href = links.result;
  $('result').hidden = false;
}
