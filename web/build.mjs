// Builds `dist/` from `src/`; the same sources and locked packages give the same bytes.
// `--check` builds into a temporary folder and fails where `dist/` differs.

import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import sveltePlugin from 'esbuild-svelte';

const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(here, 'dist');
const stub = (name) => path.join(here, 'src/stubs', name);

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2020',
  platform: 'browser',
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  // Parts that a page does not use, and parts that would write HTML of their own.
  alias: {
    'vega-wordcloud': stub('nothing.js'),
    'vega-force': stub('nothing.js'),
    'vega-crossfilter': stub('nothing.js'),
    'vega-voronoi': stub('nothing.js'),
    'vega-hierarchy': stub('nothing.js'),
  },
};

/** One script; Svelte's components hold no styles (those are in `app.css`), so that no name depends on a path. */
function report(out) {
  return esbuild.build({
    ...common,
    entryPoints: { report: 'src/app/main.js', unpack: 'src/unpack.js' },
    outdir: out,
    plugins: [sveltePlugin({ compilerOptions: { dev: false, css: 'external', runes: true } })],
    mainFields: ['svelte', 'browser', 'module', 'main'],
    conditions: ['svelte', 'browser', 'production'],
    define: { 'process.env.NODE_ENV': '"production"' },
  });
}

function renderer(out) {
  return esbuild.build({ ...common, entryPoints: { render: 'src/render/main.js' }, outdir: out });
}

/** Makes a script fit to stand in a page: these words begin and end scripts there, and are only parts of texts here. */
async function inlinable(file) {
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/<(?=!--|\/?script)/gi, '\\x3C'));
}

/** The packages whose code is in a bundle, with their licences, once for every distinct text. */
async function licences(results) {
  const folders = new Set();
  for (const { metafile } of results) {
    for (const [file, { bytesInOutput }] of Object.values(metafile.outputs).flatMap((o) => Object.entries(o.inputs))) {
      const found = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file);
      if (found && bytesInOutput > 0) folders.add(found[0]);
    }
  }
  const byText = new Map();
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(path.join(here, folder, 'package.json'), 'utf8'));
    const file = (await readdir(path.join(here, folder))).sort().find((f) => /^licen[cs]e/i.test(f));
    if (!file) throw new Error(`\`${name}\` has no licence file`);
    const text = (await readFile(path.join(here, folder, file), 'utf8')).replace(/\r\n/g, '\n').trim();
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  return [...byText].map(([text, names]) => `${names.join(', ')}\n\n${text}\n`).join(`\n${'-'.repeat(78)}\n\n`);
}

async function build(out) {
  await mkdir(out, { recursive: true });
  const results = [await report(out), await renderer(out)];
  await inlinable(path.join(out, 'report.js'));
  await writeFile(path.join(out, 'LICENSES.txt'), await licences(results));
}

async function differing(out) {
  const names = new Set([...(await readdir(out)), ...(existsSync(dist) ? await readdir(dist) : [])]);
  const read = (folder, name) => readFile(path.join(folder, name)).catch(() => null);
  const differ = [];
  for (const name of [...names].sort()) {
    const [fresh, kept] = await Promise.all([read(out, name), read(dist, name)]);
    if (!fresh || !kept || !fresh.equals(kept)) differ.push(name);
  }
  return differ;
}

if (process.argv.includes('--check')) {
  const out = await mkdtemp(path.join(tmpdir(), 'report-'));
  try {
    await build(out);
    const differ = await differing(out);
    if (differ.length > 0) {
      console.error(`dist is not the build of src: ${differ.join(', ')}; run \`npm run build\` and commit`);
      process.exitCode = 1;
    }
  } finally {
    await rm(out, { recursive: true });
  }
} else {
  await rm(dist, { recursive: true, force: true });
  await build(dist);
}
