// The map: its data, what colours it, and the text of the point that is chosen.

import { mount } from 'svelte';
import MapTools from './MapTools.svelte';
import { roveOver } from './rove.js';

const CONCEPT = { field: 'concept', type: 'nominal' };

/** The rows of the chart; those that have the concept come last, and so lie on top. */
function valuesOf(map, concept) {
  const has = concept ? new Set(concept.has) : null;
  const values = map.x.map((x, i) => ({
    x, y: map.y[i], row: map.row?.[i] ?? i, target: map.target?.[i] ?? null,
    snippet: map.snippets?.[i] ?? null, concept: has ? has.has(i) : false,
  }));
  return has ? values.sort((a, b) => a.concept - b.concept) : values;
}

/** Colours whatever was coloured by the target, in layers too. */
function colouredBy(node, concept) {
  const colour = { ...CONCEPT, title: concept.id, scale: { domain: [true, false], range: ['var(--accent)', 'var(--line)'] }, legend: { labelExpr: "datum.value ? 'yes' : 'no'" } };
  const encoding = node.encoding?.color ? { encoding: { ...node.encoding, color: colour } } : {};
  const layer = Array.isArray(node.layer) ? { layer: node.layer.map((part) => colouredBy(part, concept)) } : {};
  return { ...node, ...encoding, ...layer };
}

/** What `startCharts` asks of a chart that changes; undefined where the report has no map. */
export function startMap({ map, charts }) {
  const place = document.getElementById('map-tools');
  if (!map || !charts?.map) return undefined;
  let concept = null;
  let change = () => {};
  const colour = (id) => {
    concept = map.concepts?.find((one) => one.id === id) ?? null;
    change();
  };
  let tools;
  const spec = () => {
    const base = concept ? colouredBy(charts.map, concept) : charts.map;
    return { ...base, data: { values: valuesOf(map, concept) } };
  };
  const onView = (view, live) => {
    if (place && !tools) {
      tools = mount(MapTools, { target: place, props: { concepts: map.concepts ?? [], colour } });
      place.hidden = false;
    }
    roveOver(live, (point) => tools?.show(point));
  };
  return { spec, onView, onChange: (work) => (change = work) };
}
