// Points by keyboard: one stop for the whole map, and arrow keys to the next point in their direction.

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The nearest point ahead; aside counts double, so that a row of points is followed. */
function nextPoint(points, from, [dx, dy]) {
  let best = null;
  let least = Infinity;
  for (const point of points) {
    const x = point.__data__.x - from.__data__.x;
    const y = point.__data__.y - from.__data__.y;
    const ahead = x * dx + y * dy;
    const cost = ahead + 2 * Math.abs(x * dy + y * dx);
    if (ahead > 0 && cost < least) [best, least] = [point, cost];
  }
  return best;
}

/** Calls `choose` with the datum of the point that is clicked or focused. */
export function roveOver(live, choose) {
  const points = [...live.querySelectorAll('.role-mark.mark-symbol > path')].filter((path) => path.__data__?.datum);
  if (points.length === 0) return;
  for (const point of points) point.setAttribute('tabindex', '-1');
  points[0].setAttribute('tabindex', '0');
  let current = points[0];
  const pick = (point) => {
    current.setAttribute('tabindex', '-1');
    current.classList.remove('chosen');
    point.setAttribute('tabindex', '0');
    point.classList.add('chosen');
    current = point;
    choose(point.__data__.datum);
  };
  const known = new Set(points);
  live.addEventListener('focusin', (event) => known.has(event.target) && pick(event.target));
  live.addEventListener('click', (event) => known.has(event.target) && pick(event.target));
  live.addEventListener('keydown', (event) => {
    const direction = DIRECTIONS[event.key];
    if (!direction || !known.has(event.target)) return;
    event.preventDefault();
    nextPoint(points, current, direction)?.focus({ preventScroll: true });
  });
}
