import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"], // the first that know light-dark()
    assetsInlineLimit: 0, // a data: address would need a hole in the content security policy
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // For work on the pages: `npm run dev` beside a running `botwatch serve` or `botwatch demo`.
  server: { proxy: { "/api": "http://127.0.0.1:8600", "/sign-in": "http://127.0.0.1:8600" } },
});
