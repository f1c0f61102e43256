// What leads from the first key to the first request, and what keeps people from losing a key or ending a busy one.

import { expect, hydrated, open, test } from "../fixture/test.ts";

test("the steps turn green when the first request arrives", async ({ page, team, server, signInAs }) => {
  await signInAs("owner");
  const key = await team.key({ name: "Production server" });
  await open(page, team.path("keys"));
  const steps = page.getByRole("region", { name: "First steps" }).getByRole("listitem");
  await expect(steps.filter({ hasText: "First request, to do" })).toBeVisible();
  await server.verify(key.key);
  await expect(steps.filter({ hasText: "First request, done" })).toBeVisible();
  await expect(page.getByText("The first request was valid. Everything works.")).toBeVisible();
  await expect(page.getByRole("row", { name: /Production server/ }), "without a reload").toContainText("just now");
  await page.reload();
  await page.reload();
  await expect(page.getByRole("region", { name: "First steps" })).toHaveCount(0);
});

test("leaving a key that was not copied asks first", async ({ page, team, signInAs }) => {
  await signInAs("owner");
  await open(page, team.path("keys/new"));
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Production server");
  await page.getByRole("radio", { name: /^Full access/ }).check();
  await page.getByRole("button", { name: "Create key" }).click();
  await expect(page.getByRole("heading", { name: "Production server is ready" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Copy key" })).toBeFocused();
  await page.getByRole("link", { name: "Usage" }).first().click();
  const question = page.getByRole("dialog", { name: "You have not copied this key." });
  await question.getByRole("button", { name: "Stay on this page" }).click();
  await expect(question).toBeHidden();
  await page.getByRole("button", { name: "Done" }).click();
  await question.getByRole("button", { name: "Leave without it" }).click();
  await expect(page.getByRole("heading", { name: /^Production server( Active)?$/, level: 1 })).toBeVisible();
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("a key that was disabled by mistake is enabled again from the message", async ({ page, team, signInAs }) => {
      await signInAs("owner");
      const key = await team.key({ name: "Production server" });
      await page.goto(team.path(`keys/${key.id}`));
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("button", { name: "Disable", exact: true }).click();
      await expect(page.getByText("“Production server” disabled.")).toBeVisible();
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("button", { name: "Undo" }).click();
      await expect(page.getByText("“Production server” enabled.")).toBeVisible();
    });

    test("revoking a key in use requires its name, unless it is compromised", async ({ page, team, server, watch, signInAs }) => {
      await signInAs("owner");
      const key = await team.key({ name: "Production server" });
      await server.verify(key.key);
      await expect(async () => {
        await page.goto(team.path(`keys/${key.id}?revoke=1`));
        await expect(page.getByLabel("Enter “Production server” to confirm")).toBeVisible({ timeout: 1_000 });
      }).toPass();
      if (javaScriptEnabled) await hydrated(page);
      const revoke = page.getByRole("button", { name: "Revoke key", exact: true });
      await page.getByLabel("Reason").selectOption("unused");
      watch.expect(422, team.path(`keys/${key.id}`));
      await revoke.click();
      await expect(page.getByLabel("Enter “Production server” to confirm")).toHaveAttribute("aria-invalid", "true");
      await page.getByLabel("Reason").selectOption("compromised");
      await expect(page.getByLabel("Enter “Production server” to confirm")).toBeHidden();
      await revoke.click();
      await expect(page.getByText("“Production server” revoked.")).toBeVisible();
    });
  });
}
