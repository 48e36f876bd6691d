import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** One page per audience: reviewers, visitors, and the window of the recorder. */
const pages = ['admin', 'site', 'recorder'];

export default defineConfig({
  // The server sends built files from /assets and so does the recorder's window.
  base: '/',
  esbuild: { jsx: 'automatic' },
  build: {
    target: 'es2022',
    outDir: 'dist',
    // The pages' content policy allows no inline script, and no data: address for styles and fonts.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      // Libraries mark files for servers that render; there is none here.
      onwarn: (warning, warn) => {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
      input: Object.fromEntries(
        pages
          .map((page) => [page, resolve(import.meta.dirname, `${page}.html`)] as const)
          .filter(([, file]) => existsSync(file)),
      ),
    },
  },
  server: {
    proxy: { '/api': 'http://127.0.0.1:8750', '/downloads': 'http://127.0.0.1:8750' },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
