// The renderer that the program embeds: real marks, the same bytes, faults said. It runs where nothing is given:
// in a context without console, timers, or evaluation of text; and in QuickJS, whose relative the program embeds.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';
import variant from '@jitl/quickjs-wasmfile-release-sync';
import { newQuickJSWASMModuleFromVariant } from 'quickjs-emscripten-core';
import { forest, heat, histogram, line } from './specs.mjs';

const source = readFileSync(new URL('../dist/render.js', import.meta.url), 'utf8');
const ids = Array.from({ length: 12 }, (_, i) => `H${String(i + 1).padStart(2, '0')}`);
const hypotheses = ids.map((id, i) => ({
  id, text: `text ${i}`, effect: i / 10 - 0.5, low: i / 10 - 0.7, high: i / 10 - 0.3, holds: i % 2 === 0,
}));
const specs = { forest: forest(hypotheses), heat: heat(ids), line: line(), histogram: histogram() };

function bare() {
  const context = vm.createContext({}, { codeGeneration: { strings: false, wasm: false } });
  vm.runInContext(source, context);
  return (spec) => context.renderChart(typeof spec === 'string' ? spec : JSON.stringify(spec));
}

const render = bare();
const count = (text, pattern) => (text.match(pattern) ?? []).length;
/** The labels of the data's marks, without those of axes and legends. */
const marks = (svg, kind) => count(svg, new RegExp(`aria-roledescription="${kind}"`, 'g'));
const point = (rest = {}) => ({ mark: 'point', data: { values: [{ a: 1 }] }, encoding: { x: { field: 'a', type: 'quantitative' } }, ...rest });

test('a forest plot has a point and a rule for each hypothesis', async () => {
  const svg = await render(specs.forest);
  assert.match(svg, /^<svg role="graphics-document" aria-roledescription="chart" aria-label="Effect of each hypothesis [^>]*class="marks"/);
  assert.match(svg, /<\/svg>$/);
  assert.equal(marks(svg, 'point'), 12);
  const rules = /<g class="mark-rule role-mark[^>]*>(.*?)<\/g>/.exec(svg)[1];
  assert.equal(count(rules, /<line /g), 12);
  assert.match(svg, /aria-label="X-axis titled 'Effect on the target'/);
  assert.match(svg, />Effect on the target<\/text>/);
  for (const id of ids) assert.match(svg, new RegExp(`>${id}</text>`));
  assert.match(svg, /aria-label="Effect on the target: -?.?0\.5; hypothesis: H01; holds: true/);
});

test('a heat map has a cell for each pair', async () => {
  const svg = await render(specs.heat);
  assert.equal(marks(svg, 'rect mark'), 144);
  assert.match(svg, />Hypothesis<\/text>/);
  assert.match(svg, />Other hypothesis<\/text>/);
  assert.match(svg, /aria-label="Hypothesis: H01; Other hypothesis: H01; Correlation: 1"/);
  assert.equal(count(svg, /<linearGradient /g), 1);
});

test('a line is one path through every value', async () => {
  const svg = await render(specs.line);
  const path = /<path aria-label="[^"]*" role="graphics-symbol" aria-roledescription="line mark" d="([^"]*)"/.exec(svg)[1];
  assert.equal(count(path, /[ML]/g), 60);
  assert.match(svg, />Epoch<\/text>/);
  assert.match(svg, />Loss<\/text>/);
});

test('a histogram counts every text once', async () => {
  const svg = await render(specs.histogram);
  const counts = [...svg.matchAll(/aria-label="Score: [^"]*Texts: (\d+)"/g)].map((m) => Number(m[1]));
  assert.ok(counts.length > 8, `${counts.length} bars`);
  assert.equal(counts.reduce((a, b) => a + b), 500);
  assert.equal(marks(svg, 'bar'), counts.length);
});

test('the same specification gives the same bytes, whatever was drawn before or beside it', async () => {
  const alone = {};
  for (const [name, spec] of Object.entries(specs)) alone[name] = await bare()(spec);
  const together = await Promise.all(Object.values(specs).map(render));
  assert.deepEqual(together, Object.values(alone));
  assert.equal(await render(specs.heat), alone.heat);
});

test('ids of two charts keep apart', async () => {
  const [a, b] = [await render(specs.line), await render(specs.heat)].map((svg) => [...svg.matchAll(/ id="([^"]+)"/g)].map((m) => m[1]));
  assert.ok(a.length > 0 && b.length > 0);
  assert.equal(new Set([...a, ...b]).size, a.length + b.length);
});

test('texts of the data are escaped, and what no file can hold is dropped', async () => {
  const text = '</text><script>alert(1)</script>&\u0000\ud800 \u202e\u{1f600}';
  const svg = await render({ description: text, mark: 'text', data: { values: [{ text }] }, encoding: { text: { field: 'text', type: 'nominal' } } });
  assert.doesNotMatch(svg, /<script/);
  assert.match(svg, /&lt;script&gt;/);
  assert.doesNotMatch(svg, /\u0000/);
  assert.equal(Buffer.from(svg, 'utf8').toString('utf8'), svg);
});

const faults = [
  ['an unknown mark', { ...point(), mark: 'pie' }, /`spec\.mark`: `pie` is no mark/],
  ['an unknown mark in a layer', { layer: [point(), { mark: { type: 'pie' } }] }, /`spec\.layer\[1\]\.mark`/],
  ['data elsewhere', point({ data: { url: 'https://example.org/a.csv' } }), /`spec\.data\.url`.*example\.org/],
  ['data elsewhere in a lookup', point({ transform: [{ lookup: 'a', from: { data: { url: 'b.csv' }, key: 'a', fields: ['b'] } }] }), /data\.url/],
  ['pictures', { ...point(), mark: 'image' }, /image marks/],
  ['a link elsewhere', point({ encoding: { href: { value: 'https://example.org' } } }), /is not loaded/],
  ['a broken expression', point({ transform: [{ calculate: 'datum.a +', as: 'b' }] }), /Unexpected end/],
  ['an unknown function', point({ transform: [{ calculate: 'explode(datum.a)', as: 'b' }] }), /explode/],
  ['no chart', [], /is not a chart/],
  ['no JSON', '{', /JSON/],
];
for (const [what, spec, message] of faults) {
  test(`refuses ${what}`, async () => {
    await assert.rejects(async () => render(spec), { message });
    assert.match(await render(point()), /<svg/);
  });
}

test('a link to a card of the page is kept', async () => {
  const svg = await render(point({ encoding: { x: { field: 'a', type: 'quantitative' }, href: { value: '#H01' } } }));
  assert.match(svg, /<a xlink:href="#H01"/);
});

test('QuickJS draws the same marks with its job queue alone', async () => {
  const context = (await newQuickJSWASMModuleFromVariant(variant)).newContext();
  context.unwrapResult(context.evalCode(source)).dispose();
  const draw = context.getProp(context.global, 'renderChart');
  const run = (spec) => {
    const promise = context.unwrapResult(context.callFunction(draw, context.undefined, context.newString(JSON.stringify(spec))));
    context.runtime.executePendingJobs();
    return context.getPromiseState(promise);
  };
  for (const spec of Object.values(specs)) {
    const [first, second] = [run(spec), run(spec)];
    assert.equal(first.type, 'fulfilled');
    const svg = context.getString(first.value);
    assert.equal(context.getString(second.value), svg);
    const inNode = await render(spec);
    assert.equal(count(svg, /<(path|line|text|rect) /g), count(inNode, /<(path|line|text|rect) /g));
  }
  const fault = run(point({ data: { url: 'a.csv' } }));
  assert.equal(fault.type, 'rejected');
  assert.match(context.dump(fault.error).message, /data must be inline/);
});
