// The charts of a report, as the program would write them, on made-up figures that are the same every time.

/** A small generator (mulberry32): fixtures must not change from run to run. */
export function stream(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const schema = 'https://vega.github.io/schema/vega-lite/v6.json';
const config = {
  background: 'transparent',
  view: { stroke: 'var(--line)' },
  axis: {
    labelColor: 'currentColor', titleColor: 'currentColor', domainColor: 'var(--line)', tickColor: 'var(--line)',
    gridColor: 'var(--line)', gridOpacity: 0.5, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal',
  },
  legend: { labelColor: 'currentColor', titleColor: 'currentColor', titleFontWeight: 'normal' },
};
const chart = (rest) => ({ $schema: schema, width: 560, config, ...rest });

/** Effects with their intervals: one point and one rule for each hypothesis. */
export function forest(hypotheses) {
  const values = hypotheses.map(({ id, text, effect, low, high, holds }) => ({ hypothesis: id, text, effect, low, high, holds }));
  const y = { field: 'hypothesis', type: 'nominal', sort: null, title: null, axis: { grid: false } };
  const color = {
    field: 'holds', type: 'nominal', title: 'holds', scale: { domain: [true, false], range: ['var(--accent)', 'currentColor'] },
  };
  const tooltip = [{ field: 'hypothesis' }, { field: 'text' }, { field: 'effect', format: '.3f' }];
  return chart({
    description: 'Effect of each hypothesis with its 95% interval',
    height: { step: 18 },
    data: { values },
    layer: [
      { mark: { type: 'rule', strokeWidth: 2, aria: false }, encoding: { x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' }, y, color } },
      {
        mark: { type: 'point', filled: true, size: 70, opacity: 1 },
        encoding: { x: { field: 'effect', type: 'quantitative', title: 'Effect on the target' }, y, color, tooltip },
      },
    ],
  });
}

export function heat(ids) {
  const random = stream(2);
  const values = ids.flatMap((a) => ids.map((b) => ({ a, b, r: a === b ? 1 : Math.round((random() * 2 - 1) * 100) / 100 })));
  return chart({
    description: 'Correlation of hypotheses',
    height: 320, width: 420,
    data: { values },
    mark: 'rect',
    encoding: {
      x: { field: 'a', type: 'nominal', title: 'Hypothesis', axis: { labelAngle: -90 } },
      y: { field: 'b', type: 'nominal', title: 'Other hypothesis' },
      color: { field: 'r', type: 'quantitative', title: 'Correlation', scale: { scheme: 'blueorange', domain: [-1, 1] } },
    },
  });
}

export function line() {
  const random = stream(3);
  let loss = 1;
  const values = Array.from({ length: 60 }, (_, epoch) => ({ epoch, loss: (loss *= 0.94 + random() * 0.03) }));
  return chart({
    description: 'Loss by epoch',
    height: 220,
    data: { values },
    mark: { type: 'line', color: 'var(--accent)', clip: true },
    encoding: {
      x: { field: 'epoch', type: 'quantitative', title: 'Epoch' },
      y: { field: 'loss', type: 'quantitative', title: 'Loss', scale: { type: 'log' } },
    },
  });
}

export function histogram() {
  const random = stream(4);
  const values = Array.from({ length: 500 }, () => ({ score: Math.round((random() + random() + random()) * 1000) / 1000 }));
  return chart({
    description: 'Scores of texts',
    height: 220,
    data: { values },
    mark: { type: 'bar', color: 'var(--accent)' },
    encoding: {
      x: { field: 'score', bin: { maxbins: 20 }, title: 'Score' },
      y: { aggregate: 'count', title: 'Texts' },
    },
  });
}

/** The map without its data: the page fills them in. */
export function map() {
  return chart({
    description: 'Texts on a plane: near means alike',
    height: 420,
    data: { values: [] },
    mark: { type: 'point', filled: true, size: 30, opacity: 0.75 },
    encoding: {
      x: { field: 'x', type: 'quantitative', axis: null },
      y: { field: 'y', type: 'quantitative', axis: null },
      color: { field: 'target', type: 'quantitative', title: 'Target', scale: { scheme: 'viridis' } },
      tooltip: [{ field: 'row', title: 'Row' }, { field: 'target', title: 'Target' }],
    },
  });
}
