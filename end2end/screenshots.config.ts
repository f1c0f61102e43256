import { defineConfig } from "@playwright/test";

import tests from "./playwright.config.ts";

/** For `cargo xtask screenshots`: pictures of every page instead of tests. */
export default defineConfig(tests, { testDir: ".", testMatch: "screenshots.ts", timeout: 300_000 });
