import { defineConfig } from "@playwright/test";

import tests from "./playwright.config.ts";

/** The configuration of `cargo xtask lighthouse`: measures pages instead of running tests, with nothing beside it. */
export default defineConfig(tests, { testDir: ".", testMatch: "lighthouse.ts", timeout: 3_600_000, workers: 1 });
