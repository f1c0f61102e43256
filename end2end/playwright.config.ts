import { defineConfig, devices } from "@playwright/test";

/** Flags for a browser that runs as root in a container. Other users keep Chromium's sandbox. */
const asRoot = process.getuid?.() === 0;
const quiet = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: true,
  forbidOnly: process.env.CI === "true",
  // A test that passes only on a retry has found a problem.
  retries: 0,
  workers: 2,
  timeout: 60_000,
  reporter: [["list"]],
  use: {
    ...devices["Desktop Chrome"],
    viewport: { width: 1320, height: 900 },
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
      args: asRoot ? ["--no-sandbox", ...quiet] : quiet,
    },
    // A trace of every test would take a fifth of the time. Repeat a test that failed with `--trace on`.
    screenshot: "only-on-failure",
  },
});
