// Reloading, going back and double-clicking lead to a page, and never to the browser's prompt to resubmit a form.

import { expect, hydrated, test } from "../fixture/test.ts";

test("after a form was refused one reloads and comes back to its page", async ({ page, team, watch, signInAs }) => {
  await signInAs("owner");
  await page.goto(team.path("projects"));
  await page.getByRole("link", { name: "Create project" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Default");
  watch.expect(422, team.path("projects"));
  await page.getByRole("button", { name: "Create project" }).click();
  await expect(page.getByRole("alert")).toContainText("Check the field below.");
  await hydrated(page);
  await page.reload();
  await expect(page.getByRole("alert")).toHaveCount(0);
  await page.getByRole("textbox", { name: "Name" }).fill("Default");
  watch.expect(422, team.path("projects"));
  await page.getByRole("button", { name: "Create project" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await hydrated(page);
  await page.getByRole("link", { name: "Members" }).click();
  await expect(page.getByRole("heading", { name: "Members" })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Projects" })).toBeVisible();
});

test("the page that shows a key is left for the key's own page", async ({ page, team, signInAs }) => {
  await signInAs("owner");
  await page.goto(team.path("members"));
  await page.goto(team.path("keys/new"));
  await hydrated(page);
  await page.getByRole("radio", { name: /^Secret/ }).check();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Server");
  await page.getByRole("radio", { name: /^Full access/ }).check();
  await page.getByRole("button", { name: "Create key" }).click();
  await expect(page.getByRole("heading", { name: "Server is ready" })).toBeVisible();
  const secret = await page.locator(".secret code").innerText();
  await hydrated(page);
  await expect(page).toHaveURL(/\/keys\/key_\w+$/);
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "Server" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Rotate…" })).toBeVisible();
  expect(await page.content()).not.toContain(secret);
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Members" })).toBeVisible();
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("a double click creates one key and shows it", async ({ page, team, server, signInAs }) => {
      await signInAs("owner");
      await page.goto(team.path("keys/new"));
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("radio", { name: /^Secret/ }).check();
      await page.getByRole("textbox", { name: "Name", exact: true }).fill("Clicked twice");
      await page.getByRole("radio", { name: /^Full access/ }).check();
      await page.getByRole("button", { name: "Create key" }).dblclick();
      await expect(page.getByRole("heading", { name: "Clicked twice is ready" })).toBeVisible();
      const secret = await page.locator(".secret code").innerText();
      expect(await server.verify(secret)).toMatchObject({ valid: true });
      await page.goto(team.path("keys?q=clicked"));
      await expect(page.getByRole("link", { name: "Clicked twice" })).toHaveCount(1);
    });
  });
}
