// Vega-Lite in, SVG out, in a bare JavaScript engine: no document, no timers, no network, nothing evaluated.
//
// `renderChart(specJson)` returns a promise of the SVG; it needs nothing but the engine's job queue. A fault of the
// specification rejects the promise with its message. The same text gives the same bytes, whatever was drawn before.

import './polyfills.js';
import { compile } from 'vega-lite';
import { expressionInterpreter } from 'vega-interpreter';
import { View, parse, randomLCG, resetSVGDefIds, setRandom, textMetrics } from 'vega';
import { closedLoader, refuseUrls } from '../loader.js';
import { shownWidth } from './metrics.js';
import { checkMarks } from './marks.js';

textMetrics.width = shownWidth;

/** A logger in Vega's form: warnings are dropped, and an error ends the render. */
function strictLogger() {
  const faults = [];
  const log = {
    faults,
    level: () => log,
    error: (...args) => (faults.push(args.map((a) => (a && a.message) || String(a)).join(' ')), log),
    warn: () => log,
    info: () => log,
    debug: () => log,
  };
  return log;
}

/** Vega's writer of SVG cannot take a refusal: the link leads nowhere, and the render fails at its end. */
function loaderFor(log) {
  const sanitize = (uri, options) => closedLoader.sanitize(uri, options).catch((fault) => (log.error(fault), { href: '#' }));
  return { ...closedLoader, sanitize };
}

function throwFaults(log) {
  if (log.faults.length > 0) throw new Error(log.faults[0]);
}

/** A short name made of the specification, so that the clip paths of two charts on a page keep apart. */
function nameOf(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return `c${hash.toString(36)}`;
}

/** Makes ids the chart's own, and drops what no XML or UTF-8 text can hold: controls, and halves of a pair. */
function finish(svg, name) {
  return svg
    .replace(/(id="|url\(#)(clip\d+|gradient_\d+)(?=["\)])/g, `$1${name}-$2`)
    // eslint-disable-next-line no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (match) => (match.length === 2 ? match : '\ufffd'));
}

/** Says of the whole picture what it is, to readers who hear it. */
function labelled(svg, description) {
  if (typeof description !== 'string') return svg;
  const label = description.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  return svg.replace('<svg ', () => `<svg role="graphics-document" aria-roledescription="chart" aria-label="${label}" `);
}

async function render(specJson) {
  const spec = JSON.parse(specJson);
  refuseUrls(spec);
  checkMarks(spec);
  // Charts number their clips from where the last one ended, and draw from one random stream.
  resetSVGDefIds();
  setRandom(randomLCG(1));
  const log = strictLogger();
  const compiled = compile(spec, { logger: log });
  throwFaults(log);
  const runtime = parse(compiled.spec, undefined, { ast: true });
  const view = new View(runtime, {
    renderer: 'none',
    expr: expressionInterpreter,
    loader: loaderFor(log),
    logger: log,
  });
  const svg = await view.toSVG();
  view.finalize();
  throwFaults(log);
  return finish(labelled(svg, spec.description), nameOf(specJson));
}

// One after the other: two that run at once would share counters.
let last = Promise.resolve();

globalThis.renderChart = (specJson) => {
  const svg = last.then(() => render(specJson));
  last = svg.catch(() => {});
  return svg;
};
