// Makes the report's page interactive. The page is whole without this: every part is tried alone, and where one
// fails, what the page showed before stays.

import './app.css';
import { attempt } from './attempt.js';
import { startCards } from './cards.js';
import { startCharts } from './charts.js';
import { startCopying } from './copy.js';
import { startMap } from './map.js';
import { startTables } from './tables.js';

function start() {
  const holder = document.getElementById('report-data');
  const data = (holder && attempt('data', () => JSON.parse(holder.textContent))) || {};
  const cards = attempt('cards', () => startCards());
  const map = attempt('map', () => startMap(data));
  attempt('charts', () => startCharts(data.charts ?? {}, { map, openCard: cards?.open }));
  attempt('tables', () => startTables());
  attempt('copying', () => startCopying());
}

if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
else start();
