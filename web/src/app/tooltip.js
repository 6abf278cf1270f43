// The words beside the pointer. Texts of the data go in as texts.

import { make } from './page.js';

const GAP = 12;
let tip;

function rows(value) {
  if (value === null || typeof value !== 'object') return [make('div', { dir: 'auto' }, String(value))];
  return Object.entries(value).map(([name, part]) => {
    const shown = part !== null && typeof part === 'object' ? JSON.stringify(part) : String(part);
    return make('div', {}, make('b', {}, name), ' ', make('span', { dir: 'auto' }, shown));
  });
}

function place({ clientX, clientY }) {
  const { width, height } = tip.getBoundingClientRect();
  const left = clientX + GAP + width > innerWidth ? Math.max(0, clientX - GAP - width) : clientX + GAP;
  const top = clientY + GAP + height > innerHeight ? Math.max(0, clientY - GAP - height) : clientY + GAP;
  tip.style.left = `${left}px`;
  tip.style.top = `${top}px`;
}

/** Vega's tooltip handler: `value` is empty where there is nothing to say. */
export function tooltip(_, event, item, value) {
  if (!tip) {
    tip = make('div', { className: 'chart-tip', hidden: true });
    // Marks say the same by their labels.
    tip.setAttribute('aria-hidden', 'true');
    document.body.append(tip);
  }
  tip.hidden = value == null || value === '';
  if (tip.hidden) return;
  tip.replaceChildren(...rows(value));
  place(event);
}
