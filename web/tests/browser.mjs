// A headless Chromium with the network shut, that remembers what went wrong.

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

export const executable = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Why the tests cannot run, or false. */
export function lacking() {
  if (existsSync(executable)) return false;
  if (process.env.HYPOTHESAES_BROWSER === 'required') throw new Error(`no browser at ${executable}, though HYPOTHESAES_BROWSER=required`);
  return `no browser at ${executable}: the page is not tested (HYPOTHESAES_BROWSER=required makes this a failure)`;
}

export async function startBrowser() {
  const browser = await chromium.launch({ executablePath: executable, args: ['--no-sandbox'] });
  const folder = await mkdtemp(path.join(tmpdir(), 'page-'));
  const stop = async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  };
  /** Opens `html`, or the file of an earlier call, as a file; `faults` fills with errors and requests. */
  async function open(html, { hash = '', wait = true, ...options } = {}) {
    const file = path.join(folder, 'report.html');
    await writeFile(file, html);
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(10000);
    const page = await context.newPage();
    const faults = [];
    const own = pathToFileURL(file).href;
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => !request.url().startsWith(own) && faults.push(`request ${request.url()}`));
    await context.route('**/*', (route) => (route.request().url().startsWith('file:') ? route.continue() : route.abort()));
    await page.goto(own + hash, { waitUntil: wait ? 'load' : 'commit' });
    return { page, faults, context };
  }
  return { open, stop };
}
