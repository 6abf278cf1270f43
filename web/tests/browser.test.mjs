// The page in a browser, under the policy that the program gives it, from a file, without a network.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { lacking, startBrowser } from './browser.mjs';
import { facts, page as fixture } from './fixture.mjs';

const skip = lacking();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { hypotheses } = facts();
const holding = hypotheses.filter((h) => h.holds).length;

describe('the page', { skip }, () => {
  let browser;
  let html;
  before(async () => {
    [browser, html] = [await startBrowser(), await fixture()];
  });
  after(() => browser?.stop());

  /** Opens the page, lets `work` use it, and holds that nothing went wrong. */
  async function within(options, work) {
    const { page, faults, context } = await browser.open(options.html ?? html, options);
    try {
      await work(page, context);
      if (!options.faulty) assert.deepEqual(faults, []);
      assert.equal(await page.title(), 'Report');
      return faults;
    } finally {
      await context.close();
    }
  }
  const figure = (page, name) => page.locator(`figure[data-chart="${name}"]`);
  async function live(page, name) {
    await figure(page, name).scrollIntoViewIfNeeded();
    const svg = figure(page, name).locator('.live svg');
    await svg.waitFor();
    await figure(page, name).locator('.still').waitFor({ state: 'hidden' });
    return svg;
  }
  const rows = (page, name = 'hypotheses') => page.locator(`[data-table="${name}"] .tabulator-row`);
  const firstCell = (page) => rows(page).first().locator('.tabulator-cell').first();

  test('charts wait until they are near, then are drawn', () => within({}, async (page) => {
    await page.locator('.tabulator-row').first().waitFor();
    assert.equal(await figure(page, 'map').locator('.live').count(), 0);
    for (const name of ['forest', 'heat', 'loss', 'scores', 'map']) await live(page, name);
    assert.equal(await figure(page, 'heat').locator('.live .mark-rect.role-mark > path').count(), 144);
    assert.equal(await figure(page, 'map').locator('.live .mark-symbol.role-mark > path').count(), 2000);
  }));

  test('a chart is saved as it is shown', () => within({}, async (page) => {
    await live(page, 'loss');
    for (const [kind, start] of [['SVG', '<svg'], ['PNG', '\x89PNG']]) {
      const waiting = page.waitForEvent('download');
      await figure(page, 'loss').getByRole('button', { name: `Save as ${kind}` }).click();
      const file = await waiting;
      assert.equal(file.suggestedFilename(), `loss.${kind.toLowerCase()}`);
      const bytes = readFileSync(await file.path(), 'latin1');
      assert.ok(bytes.startsWith(start), bytes.slice(0, 20));
      if (kind === 'SVG') assert.doesNotMatch(bytes, /var\(|currentColor/);
    }
  }));

  test('a table is sorted by what cells stand for', () => within({}, async (page) => {
    const order = [...hypotheses].sort((a, b) => b.effect - a.effect).map((h) => h.id);
    await rows(page).first().waitFor();
    assert.equal(await rows(page).count(), 30);
    const header = page.locator('[data-table="hypotheses"] .tabulator-col', { has: page.getByRole('button', { name: 'Effect', exact: true }) });
    await header.getByRole('button').focus();
    await page.keyboard.press('Enter');
    assert.equal(await header.getAttribute('aria-sort'), 'descending');
    assert.deepEqual(await rows(page).locator('.tabulator-cell:first-child').allTextContents(), order);
    await page.keyboard.press('Space');
    assert.equal(await header.getAttribute('aria-sort'), 'ascending');
    assert.equal(await firstCell(page).textContent(), order.at(-1));
    assert.equal(await rows(page).first().locator('a').getAttribute('href'), `#${order.at(-1)}`);
    assert.equal(await rows(page).first().locator('svg rect').count(), 1);
  }));

  test('a table is filtered by words and by bounds', () => within({}, async (page) => {
    await page.getByLabel('Filter: Hypothesis').fill('parking');
    await page.locator('[data-table="hypotheses"] .count', { hasText: '3 of 30 rows' }).waitFor();
    assert.equal(await rows(page).count(), 3);
    await page.getByLabel('Filter: Hypothesis').fill('');
    await page.getByLabel('Filter: Effect').fill('> 0.25');
    const above = hypotheses.filter((h) => h.effect > 0.25).length;
    await page.locator('[data-table="hypotheses"] .count', { hasText: `${above} of 30 rows` }).waitFor();
    assert.equal(await rows(page).count(), above);
  }));

  test('a table is saved as CSV', () => within({}, async (page) => {
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download CSV' }).click();
    const text = readFileSync(await (await waiting).path(), 'utf8').replace(/^\ufeff/, '');
    assert.match(text, /^"Id","Hypothesis","Effect","Size","Holds"/);
    assert.ok(text.includes('<script>document.title'));
    assert.equal(text.match(/"H\d\d"/g).length, 30);
  }));

  test('a long table has pages, and is sorted over all of them', () => within({}, async (page) => {
    const holder = page.locator('[data-table="neurons"]');
    await holder.scrollIntoViewIfNeeded();
    await rows(page, 'neurons').first().waitFor();
    assert.equal(await rows(page, 'neurons').count(), 100);
    await holder.getByRole('button', { name: 'Fires', exact: true }).click();
    assert.equal(await rows(page, 'neurons').first().locator('.tabulator-cell').last().textContent(), '249');
    await holder.getByRole('button', { name: 'Last Page' }).click();
    await page.waitForFunction(() => document.querySelectorAll('[data-table=neurons] .tabulator-row').length === 50);
    assert.equal(await rows(page, 'neurons').last().locator('.tabulator-cell').last().textContent(), '0');
  }));

  test('cards are found by their words', () => within({}, async (page) => {
    const shown = page.locator('details.card:visible');
    await page.getByRole('searchbox', { name: 'Search' }).fill('PARKING');
    await page.locator('#card-tools .count', { hasText: '3 of 30' }).waitFor();
    assert.equal(await shown.count(), 3);
    await page.getByRole('button', { name: 'Open all' }).click();
    assert.equal(await page.locator('details.card[open]').count(), 3);
    await page.getByRole('button', { name: 'Close all' }).click();
    assert.equal(await page.locator('details.card[open]').count(), 0);
    await page.getByRole('searchbox', { name: 'Search' }).fill('');
    await page.getByLabel('only those that hold').check();
    await page.locator('#card-tools .count', { hasText: `${holding} of 30` }).waitFor();
    assert.equal(await shown.count(), holding);
  }));

  test('an address opens its card, also one that the search had hidden', () => within({ hash: '#H17' }, async (page) => {
    await page.locator('#H17[open]').waitFor();
    assert.ok(await page.locator('#H17').evaluate((card) => card.getBoundingClientRect().top < innerHeight));
    await page.getByRole('searchbox', { name: 'Search' }).fill('parking');
    await page.locator('#H02').waitFor({ state: 'hidden' });
    await page.evaluate(() => (location.hash = '#H02'));
    await page.locator('#H02[open]').waitFor();
    assert.equal(await page.getByRole('searchbox', { name: 'Search' }).inputValue(), '');
  }));

  test('a mark opens the card of its hypothesis', () => within({}, async (page) => {
    await live(page, 'forest');
    const marks = figure(page, 'forest').locator('.live .mark-symbol.role-mark > path');
    assert.equal(await marks.count(), 30);
    await marks.nth(4).click();
    await page.locator('#H05[open]').waitFor();
    assert.equal(await page.evaluate(() => location.hash), '#H05');
  }));

  test('a tooltip shows texts as texts', () => within({}, async (page) => {
    await live(page, 'forest');
    await figure(page, 'forest').locator('.live .mark-symbol.role-mark > path').first().hover();
    const tip = page.locator('.chart-tip');
    await tip.waitFor();
    assert.ok((await tip.textContent()).includes(hypotheses[0].text));
    assert.equal(await tip.locator('script, img').count(), 0);
  }));

  test('the map takes another colour and tells the text of a point', () => within({}, async (page) => {
    await live(page, 'map');
    const points = figure(page, 'map').locator('.live .mark-symbol.role-mark > path');
    const colours = () => points.evaluateAll((all) => new Set(all.map((p) => p.getAttribute('fill'))).size);
    assert.ok(await colours() > 100);
    await page.getByLabel('Colour by').selectOption('H02');
    await page.waitForFunction(() => new Set([...document.querySelectorAll('[data-chart=map] .live .role-mark > path')].map((p) => p.getAttribute('fill'))).size === 2);
    assert.equal(await points.count(), 2000);
    await points.last().click({ force: true });
    const snippet = page.locator('aside.snippet .text');
    assert.match(await snippet.textContent(), /^Text \d+: /);
    assert.equal(await snippet.getAttribute('dir'), 'auto');
    const before = await snippet.textContent();
    await page.keyboard.press('ArrowLeft');
    assert.notEqual(await snippet.textContent(), before);
    assert.equal(await page.locator('aside.snippet script, aside.snippet img').count(), 0);
    await page.getByLabel('Colour by').selectOption('');
    await page.waitForFunction(() => new Set([...document.querySelectorAll('[data-chart=map] .live .role-mark > path')].map((p) => p.getAttribute('fill'))).size > 100);
  }));

  test('a text is copied', () => within({ permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'hypothesaes run reviews.csv --target stars');
  }));

  test('charts follow the reader into the dark', () => within({ colorScheme: 'light' }, async (page) => {
    await live(page, 'loss');
    const stroke = () => figure(page, 'loss').locator('.live .mark-line path').getAttribute('stroke');
    assert.equal(await stroke(), '#1f5fbf');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.waitForFunction(() => document.querySelector('[data-chart=loss] .live .mark-line path')?.getAttribute('stroke') === '#7fb0ff');
    assert.equal(await figure(page, 'loss').locator('.live').count(), 1);
  }));

  test('on paper the still pictures and the whole table are there, and cards are open', () => within({}, async (page) => {
    await live(page, 'forest');
    await page.emulateMedia({ media: 'print' });
    assert.ok(await figure(page, 'forest').locator('.still svg').isVisible());
    assert.ok(!(await figure(page, 'forest').locator('.live').isVisible()));
    assert.ok(await page.locator('[data-table="hypotheses"] > table').isVisible());
    assert.ok(!(await page.locator('[data-table="hypotheses"] .tabulator').isVisible()));
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    assert.equal(await page.locator('details.card[open]').count(), 30);
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    assert.equal(await page.locator('details.card[open]').count(), 0);
  }));

  test('without scripts everything can be read', () => within({ javaScriptEnabled: false }, async (page) => {
    for (const { id, text } of hypotheses) {
      assert.ok((await page.locator(`#${id} summary`).textContent()).includes(text));
    }
    assert.equal(await page.locator('[data-table="hypotheses"] tbody tr:visible').count(), 30);
    for (const name of ['forest', 'heat', 'loss', 'scores', 'map']) assert.ok(await figure(page, name).locator('.picture svg').isVisible());
    for (const id of ['map-tools', 'card-tools']) assert.ok(!(await page.locator(`#${id}`).isVisible()));
  }));

  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1440, 390]) {
      test(`nothing for axe to find: ${colorScheme}, ${width} wide`, () => within({ colorScheme, bypassCSP: true, viewport: { width, height: 900 } }, async (page) => {
        for (const name of ['forest', 'heat', 'loss', 'scores', 'map']) await live(page, name);
        await page.locator('[data-table="neurons"]').scrollIntoViewIfNeeded();
        await rows(page, 'neurons').first().waitFor();
        await page.getByRole('button', { name: 'Open all' }).click();
        await page.evaluate(axe);
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
        const found = await page.evaluate((values) => window.axe.run({ runOnly: { type: 'tag', values } }), tags);
        assert.deepEqual(found.violations.map((v) => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]), []);
      }));
    }
  }

  test('a narrow window scrolls down only', () => within({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }, async (page) => {
    for (const name of ['forest', 'heat', 'loss', 'scores', 'map']) await live(page, name);
    await page.getByRole('button', { name: 'Open all' }).click();
    const [whole, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(whole <= window, `${whole} > ${window}`);
  }));

  test('something is painted within a second', () => within({}, async (page) => {
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
    assert.ok(paint < 1000, `${paint} ms`);
  }));

  test('packed scripts do the same', async () => {
    await within({ html: await fixture({ packed: true }), hash: '#H17' }, async (page) => {
      await page.locator('#H17[open]').waitFor();
      await live(page, 'forest');
    });
  });

  test('a script that the policy does not name is not run', async () => {
    const other = html.replace(/<\/body><\/html>\s*$/, '<script>document.title = "broken"</script></body></html>');
    const faults = await within({ html: other, faulty: true }, (page) => page.locator('.tabulator-row').first().waitFor());
    assert.match(faults.join(), /Content Security Policy/);
  });

  test('one part that fails leaves the others, and its own still picture', async () => {
    const spoil = (data) => {
      data.charts.forest = { ...data.charts.forest, layer: [{ mark: 'pie' }] };
      data.charts.heat = { ...data.charts.heat, data: { url: 'https://example.org/a.csv' } };
      delete data.map.x;
      return data;
    };
    const faults = await within({ html: await fixture({ spoil }), faulty: true }, async (page) => {
      for (const name of ['forest', 'heat', 'map']) {
        await figure(page, name).scrollIntoViewIfNeeded();
        await page.waitForTimeout(300);
        assert.ok(await figure(page, name).locator('.picture > svg').isVisible(), name);
        assert.equal(await figure(page, name).locator('.live').count(), 0);
      }
      await live(page, 'loss');
      await page.locator('#card-tools .count', { hasText: '30 of 30' }).waitFor();
    });
    assert.ok(faults.every((fault) => /stays as it was/.test(fault)), faults.join('\n'));
    assert.equal(faults.length, 3);
  });
});
