// A report that the program wrote, in a browser. HYPOTHESAES_REPORT names its file.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { lacking, startBrowser } from './browser.mjs';

const file = process.env.HYPOTHESAES_REPORT;
const skip = lacking() || (file ? false : 'HYPOTHESAES_REPORT names no report');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('a report', { skip }, () => {
  let browser;
  let html;
  before(async () => {
    [browser, html] = [await startBrowser(), readFileSync(file, 'utf8')];
  });
  after(() => browser?.stop());

  async function within(options, work) {
    const { page, faults, context } = await browser.open(html, options);
    try {
      await work(page);
      assert.deepEqual(faults, []);
    } finally {
      await context.close();
    }
  }
  async function allLive(page) {
    const figures = page.locator('figure.chart[data-chart]');
    const n = await figures.count();
    assert.ok(n >= 5, `${n} charts`);
    for (let i = 0; i < n; i++) {
      await figures.nth(i).scrollIntoViewIfNeeded();
      await figures.nth(i).locator('.live svg').waitFor();
    }
  }

  test('charts, table and cards answer', () => within({}, async (page) => {
    await allLive(page);
    const rows = page.locator('[data-table="hypotheses"] .tabulator-row');
    const n = await rows.count();
    assert.ok(n > 1);
    const first = await rows.first().locator('a').getAttribute('href');
    const table = page.locator('[data-table="hypotheses"]');
    await table.getByRole('button', { name: 'With − without', exact: true }).click();
    const column = (at) => rows.evaluateAll((all, k) => all.map((row) => row.querySelectorAll('.tabulator-cell')[k].innerText.trim()), at);
    const sorted = (await column(2)).filter(Boolean).map((text) => parseFloat(text.replace('−', '-')));
    assert.ok(sorted.length > 1);
    assert.deepEqual(sorted, [...sorted].sort((a, b) => b - a));
    const filter = table.locator('.tabulator-header-filter input').nth(1);
    const word = (await column(1)).at(-1).split(' ').pop();
    await filter.fill(word);
    await page.waitForFunction(([of, all]) => document.querySelectorAll(of).length < all, ['[data-table="hypotheses"] .tabulator-row', n]);
    assert.ok((await column(1)).every((text) => text.includes(word)));
    await filter.fill('');
    const cards = await page.locator('details.card').count();
    await page.locator('#card-tools input[type="search"]').fill('nothing has these words');
    await page.locator('#card-tools .count', { hasText: `0 of ${cards}` }).waitFor();
    await page.locator('#card-tools input[type="search"]').fill('');
    const holding = await page.locator('details.card[data-holds="true"]').count();
    await page.locator('#card-tools input[type="checkbox"]').check();
    await page.locator('#card-tools .count', { hasText: `${holding} of ${cards}` }).waitFor();
    await page.locator('#card-tools input[type="checkbox"]').uncheck();
    await page.evaluate((hash) => { location.hash = hash; }, first);
    await page.locator(`${first}[open] blockquote`).first().waitFor();
  }));

  test('the map tells the text of a point and takes the colour of a concept', () => within({}, async (page) => {
    const map = page.locator('figure[data-chart="map"]');
    await map.scrollIntoViewIfNeeded();
    const points = map.locator('.live .mark-symbol.role-mark > path');
    await points.first().waitFor();
    assert.ok((await points.count()) <= 2000);
    await points.nth(3).dispatchEvent('click');
    const told = page.locator('aside.snippet .text');
    await told.waitFor();
    const clicked = await told.innerText();
    await page.keyboard.press('Tab');
    await points.first().focus();
    assert.notEqual(await told.innerText(), clicked);
    const select = page.locator('#map-tools select');
    await select.selectOption({ index: 1 });
    await page.waitForFunction(() => new Set([...document.querySelectorAll('[data-chart=map] .live .role-mark > path')].map((p) => p.getAttribute('fill'))).size <= 2);
  }));

  test('on paper it is light, and what is open is there', () => within({ colorScheme: 'dark', viewport: { width: 794, height: 1123 } }, async (page) => {
    await allLive(page);
    await page.locator('details.card').first().evaluate((card) => { card.open = true; });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const [ink, paper] = await page.evaluate(() => ['color', 'backgroundColor'].map((name) => getComputedStyle(document.body)[name]));
    assert.deepEqual([ink, paper], ['rgb(28, 29, 31)', 'rgb(255, 255, 255)']);
    assert.ok(await page.locator('figure[data-chart="forest"] .still svg').isVisible());
    assert.ok(!(await page.locator('#card-tools').isVisible()));
    assert.ok(await page.locator('details.card').first().locator('blockquote').first().isVisible());
    assert.ok(await page.locator('#methods').isVisible());
    if (process.env.HYPOTHESAES_SHOTS) {
      await page.pdf({ path: `${process.env.HYPOTHESAES_SHOTS}/print.pdf`, format: 'A4' });
      await page.screenshot({ path: `${process.env.HYPOTHESAES_SHOTS}/print.png`, fullPage: true });
    }
  }));

  test('without scripts everything can be read', () => within({ javaScriptEnabled: false }, async (page) => {
    assert.ok((await page.locator('figure.chart .picture svg').count()) >= 10);
    assert.ok(await page.locator('figure[data-chart="forest"] .picture svg').isVisible());
    // With several classes a hypothesis has a row for each, and one card.
    const ids = new Set(await page.locator('[data-table="hypotheses"] tbody tr td:first-child').allInnerTexts());
    assert.equal(await page.locator('details.card').count(), ids.size);
    assert.ok(await page.locator('#methods').isVisible());
  }));

  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1440, 390]) {
      test(`nothing for axe to find, no sideways scrolling: ${colorScheme}, ${width} wide`, () => within({ colorScheme, bypassCSP: true, viewport: { width, height: 900 } }, async (page) => {
        await allLive(page);
        await page.getByRole('button', { name: 'Open all' }).click();
        await page.evaluate(axe);
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
        const found = await page.evaluate((values) => window.axe.run({ runOnly: { type: 'tag', values } }), tags);
        assert.deepEqual(found.violations.map((v) => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]), []);
        const [whole, window_] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(whole <= window_, `${whole} > ${window_}`);
        if (process.env.HYPOTHESAES_SHOTS) {
          await page.getByRole('button', { name: 'Close all' }).click();
          await page.locator('details.card').first().evaluate((card) => { card.open = true; });
          await page.screenshot({ path: `${process.env.HYPOTHESAES_SHOTS}/${colorScheme}-${width}.png`, fullPage: true });
        }
      }));
    }
  }

  test('something is painted within a second', () => within({}, async (page) => {
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
    assert.ok(paint < 1000, `${paint} ms`);
  }));
});
