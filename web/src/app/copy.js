// `<button class="copy" data-copy="id">` copies the text of the element of that id.

import { make, say } from './page.js';

/** For browsers that keep the clipboard from files. */
function copyBySelection(text) {
  const field = make('textarea', { value: text, readOnly: true, className: 'only-read' });
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  if (!copied) throw new Error('the browser refuses');
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const before = button.dataset.label ?? (button.dataset.label = button.textContent);
  try {
    if (!source) throw new Error('nothing to copy');
    const text = source.textContent.trim();
    await (navigator.clipboard?.writeText(text) ?? Promise.reject()).catch(() => copyBySelection(text));
    button.textContent = 'Copied';
    say('Copied');
  } catch {
    button.textContent = 'Not copied';
    say('Not copied: select the text and copy it by hand');
  }
  button.focus();
  setTimeout(() => (button.textContent = before), 2000);
}

export function startCopying() {
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('button.copy[data-copy]');
    if (button) copy(button);
  });
}
