// Vega-Lite meets an unknown mark with a TypeError from its depths; this says which, and where.

const MARKS = new Set([
  'arc', 'area', 'bar', 'boxplot', 'circle', 'errorband', 'errorbar', 'geoshape', 'line', 'point', 'rect', 'rule',
  'square', 'text', 'tick', 'trail',
]);
/** The fields that hold further charts. */
const NESTS = ['layer', 'hconcat', 'vconcat', 'concat'];

export function checkMarks(spec, path = 'spec') {
  if (spec === null || typeof spec !== 'object' || Array.isArray(spec)) throw new Error(`\`${path}\` is not a chart`);
  const inner = NESTS.filter((key) => Array.isArray(spec[key]));
  for (const key of inner) spec[key].forEach((part, i) => checkMarks(part, `${path}.${key}[${i}]`));
  if (spec.spec !== undefined) return checkMarks(spec.spec, `${path}.spec`);
  if (inner.length > 0) return;
  const mark = typeof spec.mark === 'object' && spec.mark !== null ? spec.mark.type : spec.mark;
  if (!MARKS.has(mark)) throw new Error(`\`${path}.mark\`: \`${mark}\` is no mark of Vega-Lite`);
}
