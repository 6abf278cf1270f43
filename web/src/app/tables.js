// `<div class="table" data-table="name"><table>`: sorted and filtered by the reader. What cells hold (links, small
// pictures) is copied as it is; the page's own table stays for print.

import { Tabulator } from './tabulator.js';
import { attempt } from './attempt.js';
import { make, whenSeen } from './page.js';
import { fixRoles } from './roles.js';

/** Past this many rows a table has pages. */
const PAGE = 200;

const textOf = (cell) => cell.textContent.replace(/\s+/g, ' ').trim();

function keyOf(cell) {
  const given = cell.dataset.sort;
  const key = given === undefined ? textOf(cell).replace('\u2212', '-') : given;
  return key !== '' && Number.isFinite(Number(key)) ? Number(key) : key;
}

/** Numbers by size and before texts, texts by the alphabet, nothing last. */
function compare(a, b) {
  if (a === b) return 0;
  if (a === '' || b === '') return a === '' ? 1 : -1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a.localeCompare(b, 'en', { numeric: true });
}

/** `> 0.5`, `<= 3` and their like compare; anything else is looked for in the text. */
function passes(wanted, cell) {
  const bound = /^\s*(<=|>=|<|>|=)\s*([-\u2212]?[\d.]+(?:e[-+]?\d+)?)\s*$/i.exec(wanted);
  if (!bound) return cell.text.toLowerCase().includes(wanted.trim().toLowerCase());
  const limit = Number(bound[2].replace('\u2212', '-'));
  if (typeof cell.key !== 'number') return false;
  const tests = { '<': cell.key < limit, '<=': cell.key <= limit, '>': cell.key > limit, '>=': cell.key >= limit, '=': cell.key === limit };
  return tests[bound[1]];
}

function copyOf(cell) {
  const copy = make('span');
  copy.append(...[...cell.childNodes].map((node) => node.cloneNode(true)));
  // The page's own table keeps the ids.
  copy.querySelectorAll('[id]').forEach((element) => element.removeAttribute('id'));
  if (cell.dir) copy.dir = cell.dir;
  return copy;
}

function read(table) {
  const titles = [...table.tHead.rows[table.tHead.rows.length - 1].cells].map(textOf);
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]).map((row, id) => {
    const cells = [...row.cells];
    if (cells.length !== titles.length || cells.some((cell) => cell.colSpan > 1 || cell.rowSpan > 1)) throw new Error('cells are merged');
    return Object.fromEntries([['id', id], ...cells.map((cell, i) => [`c${i}`, { cell, text: textOf(cell), key: keyOf(cell) }])]);
  });
  return { titles, rows };
}

function columnOf(title, field, rows) {
  const cells = rows.map((row) => row[field]);
  const numeric = cells.some(({ key }) => key !== '') && cells.every(({ key }) => key === '' || typeof key === 'number');
  const drawn = cells.some(({ cell }) => cell.querySelector('svg'));
  const longest = Math.max(...cells.map(({ text }) => text.length), 0);
  return {
    title,
    field,
    // A button is reached and pressed by keyboard; its click is the header's.
    titleFormatter: () => make('button', { type: 'button', className: 'sort' }, title),
    formatter: (cell) => copyOf(cell.getValue().cell),
    sorter: (a, b) => compare(a.key, b.key),
    headerSortStartingDir: numeric ? 'desc' : 'asc',
    headerFilter: 'input',
    headerFilterPlaceholder: numeric ? '> 0' : 'filter',
    headerFilterParams: { elementAttributes: { 'aria-label': `Filter: ${title}` } },
    headerFilterFunc: passes,
    accessorDownload: (value) => value.text,
    hozAlign: numeric && !drawn ? 'right' : 'left',
    minWidth: longest > 40 ? 260 : Math.min(180, Math.max(76, 9 * title.length + 34, 9 * longest + 26)),
    widthGrow: longest > 40 ? 6 : 1,
    variableHeight: true,
  };
}

function toolsFor(name, grid, total) {
  const count = make('span', { className: 'count' });
  count.setAttribute('aria-live', 'polite');
  const tell = (shown) => (count.textContent = `${shown} of ${total} rows`);
  tell(total);
  grid.on('dataFiltered', (_, rows) => tell(rows.length));
  const button = make('button', { type: 'button', onclick: () => grid.download('csv', `${name}.csv`, { bom: true }) }, 'Download CSV');
  return make('div', { className: 'tools' }, button, count);
}

function build(holder, table) {
  const name = holder.dataset.table;
  const { titles, rows } = read(table);
  const place = make('div', { className: 'live' });
  // Buttons may not stand within a table.
  const pages = make('div', { className: 'live pages', role: 'group', ariaLabel: 'Pages' });
  holder.append(place);
  const undo = () => [place, pages].forEach((element) => element.remove());
  try {
    const grid = new Tabulator(place, {
      data: rows,
      columns: titles.map((title, i) => columnOf(title, `c${i}`, rows)),
      layout: 'fitColumns',
      renderVertical: 'basic',
      pagination: rows.length > PAGE,
      paginationElement: pages,
      paginationSize: PAGE / 2,
      columnHeaderSortMulti: true,
    });
    const label = table.caption?.textContent.trim() || table.getAttribute('aria-label') || name;
    grid.on('tableBuilt', () => {
      if (pages.childElementCount > 0) place.after(pages);
      place.before(toolsFor(name, grid, rows.length));
      table.classList.add('still');
      table.hidden = true;
    });
    // Tabulator filters at keys; what is pasted or spoken comes without them.
    place.addEventListener('input', ({ target }) => {
      if (target.closest('.tabulator-header-filter')) target.dispatchEvent(new KeyboardEvent('keyup'));
    });
    grid.on('renderComplete', () => attempt('roles', () => fixRoles(place, label)));
  } catch (fault) {
    undo();
    throw fault;
  }
}

export function startTables() {
  for (const holder of document.querySelectorAll('div.table[data-table]')) {
    const table = holder.querySelector('table');
    if (table?.tHead) whenSeen(holder, () => attempt(`table \`${holder.dataset.table}\``, () => build(holder, table)));
  }
}
