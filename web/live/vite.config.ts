import preact from "@preact/preset-vite";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [preact()],
  logLevel: "warn",
  build: { target: "es2022", sourcemap: false, chunkSizeWarningLimit: 900 },
});
