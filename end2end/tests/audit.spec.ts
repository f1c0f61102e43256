// The audit log: entries, filters and export.

import { readFile } from "node:fs/promises";

import { expect, test } from "../fixture/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("an owner reads who did what, filters it, and takes it along as a file", async ({ page, team, signInAs }) => {
      const key = await team.key({ name: "Production server" });
      await signInAs("owner");
      const rows = page.getByRole("table").getByRole("row");
      // Sign-ins are recorded within one second.
      await expect(async () => {
        await page.goto(team.path("audit"));
        await expect(rows.filter({ hasText: "Signed in" })).toHaveCount(1, { timeout: 1_000 });
      }).toPass();
      await expect(rows.filter({ hasText: "Created the key Production server" })).toHaveCount(1);

      await page.getByLabel("Key ID").fill(key.id);
      await page.getByRole("button", { name: "Filter" }).click();
      await expect(rows.filter({ hasText: "Signed in" })).toHaveCount(0);
      await expect(rows.filter({ hasText: "Created the key Production server" })).toHaveCount(1);

      const downloading = page.waitForEvent("download");
      await page.getByRole("link", { name: /CSV/ }).click();
      const download = await downloading;
      expect(download.suggestedFilename()).toMatch(/^audit-.*\.csv$/);
      const lines = (await readFile(await download.path(), "utf8")).trim().split("\r\n");
      expect(lines).toHaveLength(2);
      expect(lines[1]).toContain("key.created");
    });
  });
}
