// Small things about the page that several parts need.

/** An element with properties and children; texts become text nodes, never HTML. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Calls `work` once, when `element` comes near the window; at once where nobody can tell. */
export function whenSeen(element, work) {
  if (typeof IntersectionObserver === 'undefined') return work();
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    work();
  }, { rootMargin: '200px' });
  observer.observe(element);
}

export function scrollBehavior() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
}

/** Hands `blob` to the reader as a file. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

let region;

/** Says `text` to screen readers. */
export function say(text) {
  if (!region) {
    region = make('div', { className: 'only-read', role: 'status' });
    document.body.append(region);
  }
  // The same text twice would not be read twice.
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}
