// Vega's way to the outside, closed: nothing is fetched. Links within the page are let through.

const refuse = async (uri) => {
  throw new Error(`\`${String(uri).slice(0, 200)}\` is not loaded: charts use no data from elsewhere`);
};

export const closedLoader = {
  load: refuse,
  http: refuse,
  file: refuse,
  sanitize: async (uri, options) => {
    const link = options && options.context === 'href';
    return link && /^#[\w-]+$/.test(String(uri)) ? { href: String(uri) } : refuse(uri);
  },
};

/** Throws where a specification names data or pictures elsewhere: Vega would only warn, and draw nothing. */
export function refuseUrls(node, path = 'spec') {
  if (node === null || typeof node !== 'object') return;
  for (const [key, value] of Object.entries(node)) {
    const at = `${path}.${key}`;
    if (key === 'values' || key === 'datasets') continue;
    if (key === 'data' && value && typeof value === 'object' && value.url !== undefined) {
      throw new Error(`\`${at}.url\`: data must be inline (\`values\`), not at \`${String(value.url).slice(0, 200)}\``);
    }
    if (key === 'mark' && (value === 'image' || value?.type === 'image')) {
      throw new Error(`\`${at}\`: image marks load pictures, which charts may not`);
    }
    refuseUrls(value, at);
  }
}
