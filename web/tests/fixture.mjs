// A report's page as the program writes it, on made-up figures, with texts that try to break out of where they are.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import { gzipSync } from 'node:zlib';
import { forest, heat, histogram, line, map, stream } from './specs.mjs';

const here = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');

const NASTY = [
  '<script>document.title = "broken"</script>',
  '</script><!--<script>',
  '<img src=x onerror="document.title=\'broken\'">',
  'right to left \u202eoverride\u202c and \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627',
  '" onmouseover="document.title=\'broken\'" x="',
  '\u2028 \u2029 {{constructor}} ${1}',
];
const SUBJECTS = ['waiting time', 'price', 'staff who remember names', 'a broken promise', 'portions', 'noise', 'parking', 'refunds', 'desserts', 'opening hours'];
const VERBS = ['mentions', 'complains of', 'praises'];

export const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

export function facts() {
  const random = stream(1);
  const hypotheses = Array.from({ length: 30 }, (_, i) => {
    const effect = Math.round((random() * 1.6 - 0.8) * 1000) / 1000;
    const half = Math.round((0.1 + random() * 0.3) * 1000) / 1000;
    const nasty = i < NASTY.length ? ` ${NASTY[i]}` : '';
    return {
      id: `H${String(i + 1).padStart(2, '0')}`,
      text: `${VERBS[i % 3]} ${SUBJECTS[i % 10]}${nasty}`,
      effect, low: effect - half, high: effect + half, holds: Math.abs(effect) > half,
    };
  });
  const n = 2000;
  const centre = Array.from({ length: 6 }, () => [random() * 10, random() * 6]);
  const points = Array.from({ length: n }, (_, i) => [centre[i % 6][0] + random() + random(), centre[i % 6][1] + random() + random()]);
  const round = (v) => Math.round(v * 1000) / 1000;
  return {
    hypotheses,
    map: {
      x: points.map(([x]) => round(x)),
      y: points.map(([, y]) => round(y)),
      row: points.map((_, i) => i * 3),
      target: points.map(() => round(random() * 5)),
      snippets: points.map((_, i) => `Text ${i}: ${NASTY[i % NASTY.length]} and so it goes on.`),
      concepts: hypotheses.slice(0, 10).map(({ id, text }, k) => ({ id, label: text, has: points.map((_, i) => i).filter((i) => i % 6 === k % 6) })),
    },
  };
}

export function specsOf({ hypotheses, map: { x, y, row, target } }) {
  const drawn = map();
  return {
    page: { forest: forest(hypotheses), heat: heat(hypotheses.slice(0, 12).map((h) => h.id)), loss: line(), scores: histogram(), map: drawn },
    // The still picture of the map has its data; the page's specification has none.
    still: { map: { ...drawn, data: { values: x.map((_, i) => ({ x: x[i], y: y[i], row: row[i], target: target[i] })) } } },
  };
}

async function pictures({ page, still }) {
  const context = vm.createContext({});
  vm.runInContext(here('../dist/render.js'), context);
  const drawn = {};
  for (const name of Object.keys(page)) drawn[name] = await context.renderChart(JSON.stringify(still[name] ?? page[name]));
  return drawn;
}

const spark = (v) => `<svg width="60" height="12" role="img" aria-label="${v}"><rect width="${Math.abs(v) * 60}" height="12" fill="currentColor"/></svg>`;

function hypothesisTable(hypotheses) {
  const rows = hypotheses.map((h) => `<tr><td><a href="#${h.id}">${h.id}</a></td><td dir="auto">${escape(h.text)}</td>`
    + `<td data-sort="${h.effect}">${h.effect.toFixed(3).replace('-', '\u2212')}</td><td data-sort="${h.effect}">${spark(h.effect)}</td><td>${h.holds ? 'yes' : 'no'}</td></tr>`);
  return `<table><caption>Hypotheses</caption><thead><tr><th>Id</th><th>Hypothesis</th><th>Effect</th><th>Size</th><th>Holds</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function neuronTable() {
  const rows = Array.from({ length: 250 }, (_, i) => `<tr><td>${i}</td><td>${(i * 37) % 250}</td></tr>`);
  return `<table><caption>Neurons</caption><thead><tr><th>Neuron</th><th>Fires</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

const figure = (name, title, svg, rows) => `<figure class="chart" data-chart="${name}"><figcaption>${title}</figcaption><div class="picture">${svg}</div>`
  + `<details class="data"><summary>Data</summary><table><thead><tr><th>Id</th><th>Value</th></tr></thead><tbody>${rows}</tbody></table></details></figure>`;

const card = (h) => `<details class="card" id="${h.id}" data-text="${escape(h.text)}" data-holds="${h.holds}"><summary>${h.id} <bdi>${escape(h.text)}</bdi></summary>`
  + `<p dir="auto">Effect ${h.effect}. ${escape(h.text)}</p></details>`;

function body({ hypotheses }, drawn) {
  const rows = hypotheses.map((h) => `<tr><td><a href="#${h.id}">${h.id}</a></td><td>${h.effect}</td></tr>`).join('');
  return `<header><h1>What makes a good review?</h1><p>30 hypotheses on 2,000 texts.</p></header><main>
<h2>Hypotheses</h2><div class="table" data-table="hypotheses">${hypothesisTable(hypotheses)}</div>
<h2>Charts</h2>${figure('forest', 'Effects', drawn.forest, rows)}${figure('heat', 'Correlations', drawn.heat, rows)}
${figure('loss', 'Loss', drawn.loss, rows)}${figure('scores', 'Scores', drawn.scores, rows)}
<h2>Map</h2><div id="map-tools" hidden></div>${figure('map', 'Texts', drawn.map, rows)}
<h2>Cards</h2><div id="card-tools" hidden></div><section id="cards" aria-label="Cards">${hypotheses.map(card).join('\n')}</section>
<h2>Neurons</h2><div class="table" data-table="neurons">${neuronTable()}</div>
<h2>Again</h2><pre id="command">hypothesaes run reviews.csv --target stars</pre><button class="copy" data-copy="command">Copy</button></main>`;
}

const allow = (script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`;

/** The scripts, as they are or packed, and what the policy says of them. */
function scripts(packed) {
  const script = here('../dist/report.js');
  if (!packed) return { html: `<script>${script}</script>`, allowed: allow(script) };
  const unpack = here('../dist/unpack.js');
  const held = `<script type="application/gzip" id="report-app">${gzipSync(script).toString('base64')}</script>`;
  return { html: `${held}<script>${unpack}</script>`, allowed: `${allow(unpack)} ${allow(script)}` };
}

/** The whole page, under the policy that the program gives it. `spoil` changes the data, to see that faults stay small. */
export async function page({ spoil = (data) => data, packed = false } = {}) {
  const told = facts();
  const specs = specsOf(told);
  const drawn = await pictures(specs);
  const hypotheses = told.hypotheses.map(({ id, text, holds }) => ({ id, text, holds }));
  const data = JSON.stringify(spoil({ charts: specs.page, map: told.map, hypotheses })).replace(/</g, '\\u003c');
  const { html, allowed } = scripts(packed);
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ${allowed}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Report</title>
<style>${here('fixture.css')}</style><style>${here('../dist/report.css')}</style></head>
<body>${body(told, drawn)}
<script type="application/json" id="report-data">${data}</script>
${html}</body></html>`;
}
