import { defineConfig } from "vite";

/** One module that Streamlit mounts; what it wears is a text inside it. */
export default defineConfig({
  logLevel: "warn",
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    lib: { entry: "src/main.ts", formats: ["es"], fileName: () => "explorer.js" },
  },
});
