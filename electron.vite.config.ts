/**
 * Builds the shell and the user interface: `electron-vite build` writes out/main (ES module), out/preload (CommonJS,
 * for the sandbox) and out/renderer (what the engine serves to every shell).
 * `electron-vite build --mode old` builds the same sources once more for the real-window test in Electron 9.4.1
 * (Node 12, Chromium 83) into out/old: CommonJS, lower targets, polyfills. Nothing of it ships.
 * Nothing inline reaches the page (no scripts, no styles, no data: modules), so the engine's strict CSP holds.
 */
import { readFileSync } from 'node:fs';
import { defineConfig } from 'electron-vite';
import legacy from '@vitejs/plugin-legacy';
import vue from '@vitejs/plugin-vue';
import MarkdownIt from 'markdown-it';
import type { Plugin } from 'vite';

/** The repository is an ES module package; the old build runs in a CommonJS package of its own. */
function commonJsPackage(): Plugin {
  return {
    name: 'rotascope:commonjs-package',
    generateBundle() {
      const { name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string; version: string };
      const source = JSON.stringify({ name, version, type: 'commonjs', main: 'main.js' });
      this.emitFile({ type: 'asset', fileName: 'package.json', source });
    },
  };
}

/** Node 12 does not know the node: prefix of its own modules. */
const plainNodeNames = { paths: (id: string) => id.replace(/^node:/, '') };

/** electron-vite sets relative addresses for file: pages; ours are served, and a reload at any depth must find them. */
function servedFromRoot(): Plugin {
  return { name: 'rotascope:served-from-root', enforce: 'post', config: () => ({ base: '/' }) };
}

/** The guide's pages are HTML in the built interface: no parser ships, and nothing but these files is ever put in as HTML. */
function guidePages(): Plugin {
  const markdown = new MarkdownIt({ html: false });
  return {
    name: 'rotascope:guide-pages',
    transform: (text, id) => (id.endsWith('.md') ? `export default ${JSON.stringify(markdown.render(text))}` : null),
  };
}

export default defineConfig(({ mode }) => {
  const old = mode === 'old';
  const out = old ? 'out/old' : 'out';
  /** Read in electron/: which of the two builds this is, relative to the repository. */
  const define = { __OUT_FOLDER__: JSON.stringify(out) };
  const node = old ? { target: 'node12' } : {};
  return {
    main: {
      define,
      plugins: old ? [commonJsPackage()] : [],
      build: {
        ...node,
        outDir: `${out}/main`,
        externalizeDeps: false,
        rolldownOptions: {
          input: 'electron/main.ts',
          output: { format: old ? 'cjs' : 'es', entryFileNames: 'main.js', ...(old ? plainNodeNames : {}) },
        },
      },
    },
    preload: {
      define,
      build: {
        ...node,
        outDir: `${out}/preload`,
        externalizeDeps: false,
        rolldownOptions: { input: 'electron/preload.ts', output: { format: 'cjs', entryFileNames: 'preload.cjs' } },
      },
    },
    renderer: {
      root: 'renderer',
      // Inlined assets would be data: addresses, which the CSP allows for images only.
      plugins: [
        vue(),
        guidePages(),
        servedFromRoot(),
        ...(old ? [legacy({ renderLegacyChunks: false, modernTargets: 'chrome 83', modernPolyfills: true })] : []),
      ],
      build: {
        outDir: `${out}/renderer`,
        assetsInlineLimit: 0,
        minify: true,
        modulePreload: { polyfill: false },
        ...(old ? { cssTarget: 'chrome83' } : {}),
        rolldownOptions: { input: 'renderer/index.html' },
        chunkSizeWarningLimit: 2000,
      },
    },
  };
});
