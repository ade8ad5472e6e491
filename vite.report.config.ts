/** Builds renderer/report.ts for plain Node, whole in one file: out/report/report.mjs, which `rotascope report` loads. */
import { defineConfig } from 'vite';

export default defineConfig({
  ssr: { noExternal: true },
  build: {
    ssr: 'renderer/report.ts',
    outDir: 'out/report',
    emptyOutDir: true,
    rolldownOptions: { output: { entryFileNames: 'report.mjs', codeSplitting: false } },
  },
});
