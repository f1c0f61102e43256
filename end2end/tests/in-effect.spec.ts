// A key's page shows when a change is in effect on every instance. The test uses two processes on one SQLite file.

import { expect, open, signIn, test } from "../fixture/test.ts";
import type { Page } from "@playwright/test";

test.use({ empty: true });

/** Revokes the key whose page is open. */
async function revoke(page: Page): Promise<void> {
  await page.getByRole("main").getByText("Revoke key…").click();
  const question = page.locator(".dialog", { hasText: "Revoke" }).filter({ visible: true });
  await question.getByLabel("Reason").selectOption("compromised");
  await question.getByRole("button", { name: "Revoke key" }).click();
  await expect(page.getByRole("heading", { level: 1 }).getByText("Revoked")).toBeVisible();
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("a revoked key's page says that every instance rejects it", async ({ page, team, server, signInAs }) => {
      const other = await server.instance.serve();
      const key = await team.key({ name: "Production" });
      for (const instance of [server, other]) expect(await instance.verify(key.key)).toMatchObject({ valid: true });
      await signInAs("owner");
      await page.goto(team.path(`keys/${key.id}`));
      await revoke(page);
      const everywhere = page.getByText(/^In effect everywhere( after [0-9.]+ seconds)?\.$/);
      if (javaScriptEnabled) await expect(everywhere).toBeVisible();
      else await expect(async () => { await page.reload(); await expect(everywhere).toBeVisible({ timeout: 1 }); }).toPass();
      for (const instance of [server, other]) expect(await instance.verify(key.key)).toMatchObject({ reason: "revoked" });
      await other.stop();
    });
  });
}

test("an instance that does not respond is said to be late, live", async ({ page, team, server, signInAs }) => {
  const other = await server.instance.serve();
  const key = await team.key({ name: "Production" });
  await signInAs("owner");
  await open(page, team.path(`keys/${key.id}`));
  await other.kill();
  await revoke(page);
  const status = page.getByRole("status").filter({ hasText: "everywhere" });
  await expect(status).toHaveText(/^Not confirmed everywhere yet\. .* by \d\d:\d\d:\d\d UTC at the latest/);
});

test("an enabled key's page says it too, to a member as well", async ({ page, browser, team, server, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await signInAs("owner");
  await page.goto(team.path(`keys/${key.id}`));
  for (const press of ["Disable", "Enable"]) {
    await page.getByRole("button", { name: press, exact: true }).click();
    await expect(page.getByText(/^In effect everywhere/)).toBeVisible();
  }
  const context = await browser.newContext({ baseURL: server.url });
  await signIn(context, server, team.email("member"));
  const theirs = await context.newPage();
  await theirs.goto(team.path(`keys/${key.id}`));
  await expect(theirs.getByText(/^In effect everywhere/)).toBeVisible();
  await context.close();
});
