import { createServer } from 'node:http';
import express from 'express';
import { listen } from './listen.ts';

/** What a peer's route hands on to its queue. */
export interface Body {
  readonly quarter: string;
}

/** The result that every handler of the benches makes. */
export function answer({ quarter }: Body): object {
  return { ok: true, quarter };
}

/**
 * Serves the benched route by hand over a peer: 202 once `submit` has stored the body. Returns what the
 * peer's handler calls when one is completed.
 */
export function servePeer(submit: (body: Body) => Promise<string>): (count?: number) => void {
  let completedCount = 0;
  const app = express();
  app.post('/op', express.json(), async (req, res) => {
    const id = await submit(req.body);
    res.status(202).json({ ok: true, intent_id: id });
  });
  app.get('/completed', (_req, res) => {
    res.json(completedCount);
  });
  listen(createServer(app));
  return (count = 1) => {
    completedCount += count;
  };
}
