/* SPDX-License-Identifier: Apache-2.0 */
/* Build of the console: hashed local assets only, nothing inline, so that dunlind can serve it
 * under the content security policy "default-src 'self'". */
import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    outDir: process.env["DUNLIN_CONSOLE_OUT"] ?? "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // `npm run dev` talks to a dunlind that already runs: DUNLIN_SERVER=http://127.0.0.1:8080
  server: { proxy: { "/api": { target: process.env["DUNLIN_SERVER"] ?? "http://127.0.0.1:8080" } } },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
} as Parameters<typeof defineConfig>[0]);
