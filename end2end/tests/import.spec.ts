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

test("a large file has to be selected again, and the preview stays until it is", async ({ page, team, signInAs }) => {
  await signInAs("owner");
  await page.goto(team.path("keys/import"));
  const lines = Array.from({ length: 1_800 }, (_, at) => `Key ${at},${sha256(`old_${team.slug}_${at}`)}`);
  const file = { name: "keys.csv", mimeType: "text/csv", buffer: Buffer.from(["name,sha256", ...lines].join("\n")) };
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("1,800 keys are ready to import.")).toBeVisible();
  await page.getByRole("button", { name: "Import 1,800 keys" }).click();
  const again = page.getByLabel("File", { exact: true });
  await expect(again).toBeFocused();
  expect(await again.evaluate((input: HTMLInputElement) => input.validity.valueMissing)).toBe(true);
  await expect(page.getByText("1,800 keys are ready to import.")).toBeVisible();
  await again.setInputFiles(file);
  await page.getByRole("button", { name: "Import 1,800 keys" }).click();
  await expect(page.getByText("1,800 keys imported.")).toBeVisible();
});

test("a sample file can be downloaded", async ({ page, team, signInAs }) => {
  await signInAs("owner");
  await page.goto(team.path("keys/import"));
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download a sample file" }).click()]);
  expect(download.suggestedFilename()).toBe("keys.csv");
});
