/** Two pages: the application, and the audit explorer, which needs nothing of our backend and may stand anywhere. */
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** React, the way from page to page, and what pages share; not their pictures, which not every page has. */
const COMMON =
  /node_modules\/(react|react-dom|scheduler|wouter|regexparam|mitt|use-sync-external-store)\/|web\/((parts|texts)\/(?!Plot)[^/]+|(?!main)[a-z]+\.tsx?|driver\/(evse|wish)\.ts)$/;

/** On a slow line the look comes before the scripts: the frame of a page is painted while they are on their way. */
const lookFirst: Plugin = {
  name: "look-first",
  transformIndexHtml: {
    order: "post",
    handler: (html) => html.replaceAll(/<(script type="module"|link rel="modulepreload")/g, '<$1 fetchpriority="low"'),
  },
};

export default defineConfig({
  root: at("."),
  base: "/",
  publicDir: at("public"),
  plugins: [react(), lookFirst],
  build: {
    outDir: at("../dist/web"),
    emptyOutDir: true,
    target: "es2023",
    // The policy allows no inline data in scripts; small files stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // The explorer shares the service's readers of the chain; what they have of Node is never called in a browser.
      external: /^node:/,
      treeshake: { moduleSideEffects: (id, isExternal) => !isExternal && !/\/backend\//.test(id) },
      input: { index: at("index.html"), audit: at("audit.html"), "service-worker": at("worker/serviceWorker.ts") },
      output: {
        // What every page needs is one file: on a slow line each file more is a wait more.
        codeSplitting: {
          groups: [{ name: "common", test: COMMON }],
        },
        entryFileNames: ({ name }) => (name === "service-worker" ? "service-worker.js" : "assets/[name]-[hash].js"),
      },
    },
  },
});
