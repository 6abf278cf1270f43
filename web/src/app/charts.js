// `<figure class="chart" data-chart="name">`: the still picture becomes a view once it is near the window.
// The picture stays in the page for print, and comes back where the view fails.

import { Error as ERRORS, View, logger, parse } from 'vega';
import { expressionInterpreter } from 'vega-interpreter';
import { compile } from 'vega-lite';
import { closedLoader, refuseUrls } from '../loader.js';
import { attempt, attemptLater } from './attempt.js';
import { make, save, say, whenSeen } from './page.js';
import { configOf, onScheme, palette, withColours } from './theme.js';
import { tooltip } from './tooltip.js';

/** The narrowest that a chart is squeezed to, and the share of it that names on an axis may take. */
const NARROWEST = 280;
const NAMES = 0.4;

/** Fits a chart that is wider than its place, its legend above it; the still picture shrinks, letters and all. */
function fitted(spec, room, natural) {
  const simple = spec.mark !== undefined || spec.layer !== undefined;
  if (!simple || typeof spec.width !== 'number' || natural <= room) return spec;
  const axis = { ...spec.config.axis, labelLimit: Math.floor(NAMES * Math.max(NARROWEST, room)) };
  const config = { ...spec.config, axis, legend: { orient: 'top', ...spec.config.legend } };
  return { ...spec, config, width: Math.max(NARROWEST, Math.floor(room)), autosize: { type: 'fit-x', contains: 'padding' } };
}

function specFor(spec, still, room) {
  refuseUrls(spec);
  const colours = palette();
  const natural = Number(still.querySelector('svg')?.getAttribute('width')) || 0;
  const { background, ...config } = withColours(spec.config ?? {}, colours);
  const coloured = withColours(spec, colours);
  return { spec: fitted({ ...coloured, config, background: colours.paper }, room, natural), config: configOf(colours) };
}

async function draw(place, spec, still) {
  const { spec: ready, config } = specFor(spec, still, place.clientWidth || still.clientWidth);
  const log = logger(ERRORS);
  const compiled = compile(ready, { config, logger: log });
  const view = new View(parse(compiled.spec, undefined, { ast: true }), {
    renderer: 'svg',
    expr: expressionInterpreter,
    loader: closedLoader,
    logger: log,
  });
  await view.tooltip(tooltip).initialize(place).runAsync();
  return view;
}

/** Buttons for the reader to keep the picture. */
function saving(name, current) {
  const button = (kind, blob) => {
    const press = () => attemptLater(`saving ${name}`, async () => save(await blob(current()), `${name}.${kind}`), () => say('Not saved'));
    return make('button', { type: 'button', onclick: press }, `Save as ${kind.toUpperCase()}`);
  };
  const svg = async (view) => new Blob([await view.toSVG()], { type: 'image/svg+xml' });
  const png = async (view) => {
    const canvas = await view.toCanvas(2);
    return new Promise((done) => canvas.toBlob(done, 'image/png'));
  };
  return make('p', { className: 'chart-tools' }, button('svg', svg), button('png', png));
}

/** A mark about a hypothesis leads to its card. */
function linkMarks(view, place, openCard) {
  const about = (item) => (typeof item?.datum?.hypothesis === 'string' ? item.datum.hypothesis : null);
  view.addEventListener('mouseover', (_, item) => place.classList.toggle('leads', about(item) !== null));
  view.addEventListener('click', (_, item) => {
    const id = about(item);
    if (id) openCard(id);
  });
}

/** Shows a view in place of the still picture; gives the function that draws it anew, or undefined where it failed. */
async function replace(figure, name, wanted, onView) {
  const picture = figure.querySelector('.picture');
  const still = make('div', { className: 'still' }, ...picture.childNodes);
  picture.append(still);
  let view;
  const show = async () => {
    const next = make('div', { className: 'live' });
    // Off the page nothing has a width, so what is new is made behind what is there, and then takes its place.
    Object.assign(next.style, { position: 'absolute', width: `${picture.clientWidth}px`, visibility: 'hidden' });
    picture.append(next);
    const made = await draw(next, wanted(), still).catch((fault) => {
      next.remove();
      throw fault;
    });
    view?.finalize();
    picture.querySelectorAll(':scope > .live').forEach((old) => old !== next && old.remove());
    next.removeAttribute('style');
    view = made;
    still.hidden = true;
    onView(view, next);
  };
  const undo = () => {
    picture.replaceChildren(...still.childNodes);
    figure.querySelector('.chart-tools')?.remove();
  };
  return attemptLater(`chart \`${name}\``, async () => {
    await show();
    picture.after(saving(name, () => view));
    return show;
  }, undo);
}

/** `map`, where there is one, says what its chart shows and hears of its points. */
export function startCharts(specs, { map, openCard }) {
  for (const figure of document.querySelectorAll('figure.chart[data-chart]')) {
    const name = figure.dataset.chart;
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (!spec || !figure.querySelector('.picture')) continue;
    const ours = name === 'map' ? map : undefined;
    if (name === 'map' && !ours) continue;
    whenSeen(figure, async () => {
      const wanted = () => (ours ? ours.spec() : spec);
      const onView = (view, place) => {
        if (openCard) linkMarks(view, place, openCard);
        attempt('points', () => ours?.onView(view, place));
      };
      const show = await replace(figure, name, wanted, onView);
      if (!show) return;
      let last = Promise.resolve();
      const again = () => (last = last.then(() => attemptLater(`chart \`${name}\``, show, () => {})));
      onScheme(again);
      ours?.onChange(again);
    });
  }
}
