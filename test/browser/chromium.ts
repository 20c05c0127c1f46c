import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where Chromium is on this machine: `CHROMIUM_PATH`, else where Debian puts it; null if nowhere. */
export function chromiumPath(): string | null {
  const named = process.env['CHROMIUM_PATH'];
  return [named, ...PATHS].find((path) => path !== undefined && existsSync(path)) ?? null;
}

/** Starts a headless Chromium that asks the network for nothing but what is tested. */
export function launchChromium(path: string): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
