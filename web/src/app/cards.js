// `<section id="cards">` of `<details class="card">`: a toolbar, addresses that open cards, and print.

import { mount } from 'svelte';
import CardTools from './CardTools.svelte';
import { attempt } from './attempt.js';
import { scrollBehavior } from './page.js';

function startTools(cards) {
  const place = document.getElementById('card-tools');
  if (!place || cards.length === 0) return undefined;
  const tools = mount(CardTools, { target: place, props: { cards } });
  place.hidden = false;
  return tools;
}

/** Opens whatever folds over the element of that id, and goes there. */
function show(id, tools, behavior) {
  const target = id ? document.getElementById(id) : null;
  const card = target?.closest('details');
  if (!card) return;
  if (card.hidden) tools?.reset();
  for (let fold = card; fold; fold = fold.parentElement?.closest('details')) fold.open = true;
  target.scrollIntoView({ behavior, block: 'start' });
}

function hashId() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return '';
  }
}

/** On paper nothing can be opened. */
function openForPrint() {
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = [...document.querySelectorAll('details:not([open])')];
    for (const fold of opened) fold.open = true;
  });
  addEventListener('afterprint', () => {
    for (const fold of opened) fold.open = false;
  });
}

export function startCards() {
  const cards = [...document.querySelectorAll('#cards details.card')];
  const tools = attempt('card tools', () => startTools(cards));
  const follow = () => show(hashId(), tools, scrollBehavior());
  addEventListener('hashchange', follow);
  // A link to the address that is there already changes nothing, but should lead there all the same.
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (link && link.getAttribute('href') === location.hash) follow();
  });
  show(hashId(), tools, 'auto');
  openForPrint();
  const open = (id) => {
    if (location.hash === `#${id}`) return follow();
    location.hash = id;
    document.getElementById(id)?.querySelector('summary')?.focus({ preventScroll: true });
  };
  return { open };
}
