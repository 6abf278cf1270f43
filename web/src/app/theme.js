// Charts in the page's colours. They are read, not referred to, so that a saved picture keeps them.

const NAMES = ['ink', 'paper', 'line', 'accent'];
const OTHERWISE = { ink: '#1b1b1b', paper: '#ffffff', line: '#c9c9c9', accent: '#1f5fbf' };

/** The colours as they are now, and the page's font. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const colours = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim() || OTHERWISE[name]]));
  return { ...colours, font: getComputedStyle(document.body).fontFamily };
}

/** What a specification does not say itself. */
export function configOf({ ink, paper, line, accent, font }) {
  const words = { labelColor: ink, titleColor: ink, titleFontWeight: 'normal' };
  return {
    background: paper,
    font,
    view: { stroke: line },
    axis: { ...words, domainColor: line, tickColor: line, gridColor: line },
    legend: words,
    header: words,
    title: { color: ink, subtitleColor: ink },
    mark: { color: accent },
    text: { color: ink },
    rule: { color: ink },
  };
}

/** Replaces `currentColor` and `var(--name)` outside of data, as the still pictures have them, by what they stand for. */
export function withColours(node, colours, style = getComputedStyle(document.documentElement)) {
  if (typeof node === 'string') {
    if (node === 'currentColor') return colours.ink;
    const name = /^var\((--[\w-]+)\)$/.exec(node)?.[1];
    return (name && style.getPropertyValue(name).trim()) || node;
  }
  if (Array.isArray(node)) return node.map((part) => withColours(part, colours, style));
  if (node === null || typeof node !== 'object') return node;
  const kept = (key) => key === 'data' || key === 'datasets' || key === 'values';
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, kept(key) ? value : withColours(value, colours, style)]));
}

/** Calls `work` when the reader's scheme changes. */
export function onScheme(work) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', work);
}
