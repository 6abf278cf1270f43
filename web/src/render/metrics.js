// How wide a text will be, where there is no canvas to measure it: Helvetica's widths (AFM), for every machine the
// same. Vega's own guess (0.8 em a letter) would cut labels at two thirds of the room that they have.

const FIRST = 32;
const WIDTHS = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556,
  556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722,
  778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556,
  278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260,
  334, 584,
];
const OTHER = 600;
const WIDE = 1000;
/** Readers' fonts are up to this much wider than Helvetica. */
const SAFETY = 1.08;
const BOLD = 1.07;

const nothing = /[\p{M}\p{Cf}\p{Cc}]/u;

function isWide(code) {
  return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) || (code >= 0xac00 && code <= 0xd7a3)
    || (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60)
    || code >= 0x1f000;
}

function letter(char) {
  const code = char.codePointAt(0);
  const known = WIDTHS[code - FIRST];
  if (known !== undefined) return known;
  if (nothing.test(char)) return 0;
  return isWide(code) ? WIDE : OTHER;
}

/** Width in pixels of `text` as the text item `item` (of Vega's scene) shows it. */
export function textWidth(item, text) {
  const size = item.fontSize == null ? 11 : Number(item.fontSize) || 0;
  let thousandths = 0;
  for (const char of text == null ? '' : String(text).trim()) thousandths += letter(char);
  const bold = item.fontWeight === 'bold' || Number(item.fontWeight) >= 600 ? BOLD : 1;
  return (thousandths * size * bold * SAFETY) / 1000;
}

/** The same, cut to the item's limit, as Vega asks for it. */
export function shownWidth(item, text) {
  const width = textWidth(item, text);
  return item.limit > 0 ? Math.min(width, item.limit) : width;
}
