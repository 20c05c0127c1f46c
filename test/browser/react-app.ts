import { DurableClient } from '@durable-api/client';
import { DurableProvider, useOperation } from '@durable-api/react';
import { createElement as h, StrictMode, useState, version, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';

const client = new DurableClient(location.origin, { backoff: { baseMs: 10 } });

/** Submits a report and shows how it comes along. */
function Report({ path }: { readonly path: string }): ReactElement {
  const report = useOperation<{ input: { name: string }; result: { made: string } }>(path);
  const { status, progress, events, result, error, operation, isSubmitting } = report;
  return h(
    'section',
    null,
    h('p', { id: 'status' }, status ?? 'none'),
    h('progress', { id: 'progress', max: 1, value: progress?.fraction ?? 0 }),
    h('ol', { id: 'events' }, ...events.map(({ seq }) => h('li', { key: seq }, seq))),
    h('p', { id: 'result' }, result?.made),
    h('p', { id: 'error' }, error === null ? '' : `${error.name}: ${error.message}`),
    h('p', { id: 'url' }, operation?.url),
    h('p', { id: 'version' }, version),
    h(
      'button',
      {
        id: 'submit',
        disabled: isSubmitting,
        onClick: () => void report.submit({ name: 'Q3' }),
      },
      'Submit',
    ),
    h('button', { id: 'cancel', onClick: () => void report.cancel() }, 'Cancel'),
  );
}

/** Shows an operation that was submitted elsewhere, by a handle that is new at each render. */
function Attached({ url }: { readonly url: string }): ReactElement {
  const [renders, render] = useState(0);
  const { status, events } = useOperation(client.operation(url));
  const text = `${status} ${events.map(({ seq }) => seq).join(',')} ${renders}`;
  return h('p', { id: 'attached', onClick: () => render(renders + 1) }, text);
}

function App(): ReactElement {
  const query = new URLSearchParams(location.search);
  const [isShown, show] = useState(true);
  const url = query.get('attach');
  return h(
    DurableProvider,
    { client },
    isShown &&
      (url === null ? h(Report, { path: query.get('path') ?? '/report' }) : h(Attached, { url })),
    h('button', { id: 'hide', onClick: () => show(false) }, 'Hide'),
  );
}

const root = document.querySelector('#root');
if (root !== null) createRoot(root).render(h(StrictMode, null, h(App)));
