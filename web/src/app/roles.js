// Tabulator calls itself a grid, without a grid's arrow keys. To a screen reader the report's tables are tables.

const ROLES = [
  ['.tabulator-header', 'rowgroup'],
  ['.tabulator-header-contents', 'presentation'],
  ['.tabulator-headers', 'row'],
  ['.tabulator-tableholder', 'rowgroup'],
  ['.tabulator-table', 'presentation'],
  ['.tabulator-cell', 'cell'],
];

export function fixRoles(place, label) {
  place.setAttribute('role', 'table');
  place.setAttribute('aria-label', label);
  place.removeAttribute('aria-owns');
  const scrolled = place.querySelector('.tabulator-tableholder');
  // A stop for the keyboard only where there is something to scroll.
  if (scrolled.scrollWidth > scrolled.clientWidth) scrolled.tabIndex = 0;
  else scrolled.removeAttribute('tabindex');
  for (const [selector, role] of ROLES) {
    for (const element of place.querySelectorAll(selector)) element.setAttribute('role', role);
  }
}
