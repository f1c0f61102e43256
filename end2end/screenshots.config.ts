import { defineConfig } from "@playwright/test";

import tests from "./playwright.config.ts";

/** The configuration of `cargo xtask screenshots`: takes pictures of every page instead of running tests. */
export default defineConfig(tests, { testDir: ".", testMatch: "screenshots.ts", timeout: 300_000 });
