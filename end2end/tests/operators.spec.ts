// What operators do, and how organizations and accounts end.

import { expect, hydrated, PASSWORD, signIn, test } from "../fixture/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("an operator creates an organization and deletes it", async ({ page, team, watch, signInAs }) => {
      const wait = async () => void (javaScriptEnabled && (await hydrated(page)));
      await team.makeOperator("member");
      await signInAs("member");
      await page.goto(team.path("keys"));
      await wait();
      const switcher = page.locator(".switcher > summary");
      await switcher.focus();
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Tab");
      await expect(page.getByRole("link", { name: "Create organization" })).toBeFocused();
      await page.keyboard.press("Enter");
      await wait();
      await page.getByLabel("Organization name").fill("Fabrikam Robotics");
      await page.getByRole("button", { name: "Create organization" }).click();
      await expect(page.getByText("Organization created.")).toBeVisible();
      const keys = new URL(page.url()).pathname;

      await page.goto("/instance/organizations?q=fabrikam");
      await wait();
      await page.getByRole("link", { name: "Fabrikam Robotics" }).first().click();
      await wait();
      await page.getByLabel("Name of the organization").fill("Fabrikam Robotics");
      await page.getByLabel("Your password").fill(PASSWORD);
      await page.getByRole("button", { name: "Delete organization" }).click();
      await expect(page.getByText("Organization deleted.")).toBeVisible();
      await expect(page.getByRole("table", { name: "Entries, newest first" })).toContainText("Deleted the organization");
      watch.expect(404, keys);
      await page.goto(keys);
      await expect(page.getByRole("heading", { name: "Not found" })).toBeVisible();
    });

    test("an owner deletes the organization, exports their data and deletes their account", async ({ page, context, server, team, watch, signInAs }) => {
      const wait = async () => void (javaScriptEnabled && (await hydrated(page)));
      const key = await team.key({ name: "Production server" });
      await server.verify(key.key);
      await signInAs("owner");
      await page.goto("/account/delete");
      await wait();
      await page.getByRole("link", { name: "delete the organization" }).click();
      await wait();
      await expect(page.getByText("1 key stops working")).toBeVisible();
      await page.getByLabel("Name of the organization").fill("Northwind Assist");
      await page.getByLabel("Your password").fill(PASSWORD);
      await page.getByRole("button", { name: "Delete organization" }).click();
      await expect(page.getByText("Organization deleted.")).toBeVisible();
      watch.expect(404, team.path("keys"));
      await page.goto(team.path("keys"));
      await expect(page.getByRole("heading", { name: "Not found" })).toBeVisible();

      await page.goto("/account");
      await wait();
      const downloading = page.waitForEvent("download");
      await page.getByRole("link", { name: "Export" }).click();
      const file = await (await downloading).path();
      const { readFile } = await import("node:fs/promises");
      const data = JSON.parse(await readFile(file, "utf8")) as { account: { email: string }; memberships: unknown[] };
      expect(data.account.email).toBe(team.email("owner"));
      expect(data.memberships).toEqual([]);

      await page.getByRole("link", { name: "Delete account…" }).click();
      await wait();
      await page.getByLabel("Your password").fill(PASSWORD);
      await page.getByRole("button", { name: "Delete account" }).click();
      await expect(page).toHaveURL(/sign-in/);
      await expect(signIn(context, server, team.email("owner"))).rejects.toThrow("422");
    });
  });
}
