// What Vega and Vega-Lite expect of their host and a bare engine (QuickJS) lacks. Imported first.

const host = globalThis;

/** Deep copy of what a specification can hold: plain objects, arrays, dates, sets, maps and scalars. */
function clone(value) {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(clone);
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof Set) return new Set([...value].map(clone));
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [clone(k), clone(v)]));
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, clone(v)]));
}

/** Vega asks every 10 ms whether its links are there. A few turns of the job queue are a wait, too. */
async function later(work) {
  for (let turn = 0; turn < 10; turn++) await null;
  work();
}

const silent = () => {};
const lacking = {
  structuredClone: clone,
  console: { log: silent, info: silent, debug: silent, warn: silent, error: silent },
  setTimeout: (work) => (later(work), 0),
  clearTimeout: silent,
  setInterval: () => 0,
  clearInterval: silent,
};
for (const [name, value] of Object.entries(lacking)) {
  if (host[name] === undefined) host[name] = value;
}
