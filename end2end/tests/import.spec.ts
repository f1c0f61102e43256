// Importing keys created elsewhere: the file is previewed, rejected line by line, and imported.

import { createHash } from "node:crypto";

import { expect, hydrated, test } from "../fixture/test.ts";

const sha256 = (key: string) => createHash("sha256").update(key).digest("hex");

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("keys are pasted, mended and imported", async ({ page, team, server, signInAs }) => {
      const [server1, server2] = [`old_${team.slug}_1`, `old_${team.slug}_2`];
      await signInAs("owner");
      await page.goto(team.path("keys"));
      await page.getByRole("link", { name: "Import" }).click();
      await expect(page.getByRole("heading", { name: "Import keys", level: 1 })).toBeVisible();
      if (javaScriptEnabled) await hydrated(page);
      const text = page.getByLabel("Or paste its contents");
      const first = `name,sha256,prefix,last_four\nOld server,${sha256(server1)},old_,er_1\n`;
      await text.fill(`${first}Second server,not-a-digest,old_,er_2\n`);
      await page.getByRole("button", { name: "Preview" }).click();
      await expect(page.getByRole("alert")).toContainText("1 of 2 keys cannot be imported. Nothing was imported.");
      await expect(page.getByRole("row", { name: /Second server/ })).toContainText("64 hexadecimal digits");
      await expect(text, "what was typed is still there").toHaveValue(/not-a-digest/);

      await text.fill(`${first}Second server,${sha256(server2)},old_,er_2\n`);
      await page.getByRole("button", { name: "Preview" }).click();
      await expect(page.getByRole("status").filter({ hasText: "Nothing has been imported yet." })).toBeVisible();
      expect(await server.verify(server1)).toMatchObject({ valid: false });
      await page.getByRole("button", { name: "Import 2 keys" }).click();
      await expect(page.getByText("2 keys imported.")).toBeVisible();
      await page.getByRole("link", { name: "View all keys" }).click();
      await expect(page.getByRole("row", { name: /Old server/ })).toContainText("old_••••••••er_1");
      for (const key of [server1, server2]) expect(await server.verify(key)).toMatchObject({ valid: true });
    });

    test("a file is uploaded and imported", async ({ page, team, server, signInAs }) => {
      const key = `old_${team.slug}_file`;
      await signInAs("owner");
      await page.goto(team.path("keys/import"));
      if (javaScriptEnabled) await hydrated(page);
      const buffer = Buffer.from(JSON.stringify([{ name: "From a file", sha256: sha256(key) }]));
      await page.getByText("JSON", { exact: true }).click();
      await page.getByLabel("File", { exact: true }).setInputFiles({ name: "keys.json", mimeType: "application/json", buffer });
      await page.getByRole("button", { name: "Preview" }).click();
      await page.getByRole("button", { name: "Import 1 key" }).click();
      await expect(page.getByText("1 key imported.")).toBeVisible();
      expect(await server.verify(key)).toMatchObject({ valid: true });
      await page.goto(team.path("keys"));
      await expect(page.getByRole("row", { name: /From a file/ })).toContainText("Active");
    });
  });
}
