// Changes to keys by owners: IP ranges, domains, rotation and bulk actions.

import { expect, hydrated, test } from "../fixture/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("a key is made with IP ranges and edited", async ({ page, team, watch, signInAs }) => {
      await signInAs("owner");
      await page.goto(team.path("keys/new"));
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("textbox", { name: "Name", exact: true }).fill("Office");
      await page.getByText("More options").click();
      const ranges = page.getByLabel("IP ranges");
      await ranges.fill("10.0.0.5/8");
      if (javaScriptEnabled) {
        await ranges.blur();
        await expect(page.getByText("is an address inside a range")).toBeVisible();
      }
      await ranges.fill("10.0.0.0/8, 2001:db8::/32");
      if (javaScriptEnabled) {
        await ranges.blur();
        await expect(page.getByText("is an address inside a range")).toBeHidden();
      }
      await page.getByRole("radio", { name: /^Full access/ }).check();
      await page.getByRole("button", { name: "Create key" }).click();
      await expect(page.getByRole("heading", { name: "Office is ready" })).toBeVisible();
      await page.getByLabel("I have stored it").check();
      await page.getByRole("button", { name: "Done" }).click();
      await expect(page.getByText("10.0.0.0/8, 2001:db8::/32")).toBeVisible();

      await page.getByRole("link", { name: "Edit" }).click();
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("textbox", { name: "Name", exact: true }).fill("Head office");
      await page.getByLabel("IP ranges").fill("192.0.2.7/24");
      watch.expect(422, new URL(page.url()).pathname);
      await page.getByRole("button", { name: "Save" }).click();
      await expect(page.getByRole("alert")).toContainText("Nothing was changed.");
      await expect(page.getByRole("textbox", { name: "Name", exact: true })).toHaveValue("Head office");
      await page.getByLabel("IP ranges").fill("192.0.2.0/24");
      await page.getByRole("button", { name: "Save" }).click();
      await expect(page.getByRole("heading", { name: "Head office", level: 1 })).toBeVisible();
      await expect(page.getByRole("definition").filter({ hasText: "192.0.2.0/24" })).toBeVisible();
      // The key's history shows the old and the new value.
      await expect(page.getByText("IP ranges: 10.0.0.0/8, 2001:db8::/32 → 192.0.2.0/24")).toBeVisible();
    });

    test("domains are edited and origins are tried", async ({ page, team, server, watch, signInAs }) => {
      const key = await team.key({ name: "Website", kind: "widget", domains: ["northwind.example"] });
      await signInAs("owner");
      const path = team.path(`keys/${key.id}`);
      await page.goto(path);
      if (javaScriptEnabled) await hydrated(page);
      const list = page.getByRole("list", { name: /Allowed domains/ });
      await expect(list).toContainText("northwind.example");
      const origin = page.getByLabel("Test an origin");
      await origin.fill("https://help.northwind.example");
      if (!javaScriptEnabled) await page.getByRole("button", { name: "Test" }).click();
      await expect(page.getByText("is rejected: it matches no allowed domain")).toBeVisible();

      const add = page.getByLabel("Add domains");
      await add.fill("co.uk");
      if (!javaScriptEnabled) watch.expect(422, path);
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await expect(add).toHaveAttribute("aria-invalid", "true");
      await add.fill("*.northwind.example");
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await expect(list).toContainText("*.northwind.example");
      expect(await server.verify(key.key, { origin: "https://help.northwind.example" })).toMatchObject({ valid: true });
      await page.getByLabel("Test an origin").fill("https://help.northwind.example");
      if (!javaScriptEnabled) await page.getByRole("button", { name: "Test" }).click();
      await expect(page.getByText("is allowed by *.northwind.example")).toBeVisible();

      await page.getByRole("button", { name: "Remove northwind.example", exact: true }).click();
      await expect(page.getByRole("button", { name: "Remove northwind.example", exact: true })).toHaveCount(0);
      expect(await server.verify(key.key, { origin: "https://northwind.example" })).toMatchObject({ code: "ORIGIN_NOT_ALLOWED" });
    });

    test("a key is rotated, and its old secret ended early", async ({ page, team, server, signInAs }) => {
      const key = await team.key({ name: "Production" });
      await signInAs("owner");
      await page.goto(team.path(`keys/${key.id}`));
      await page.getByRole("link", { name: "Rotate…" }).click();
      await page.getByText("7 days", { exact: true }).click();
      await page.getByRole("button", { name: "Rotate key" }).click();
      await expect(page.getByRole("heading", { name: "Production has a new secret" })).toBeVisible();
      const text = await page.locator(".secret code").innerText();
      expect(text).not.toBe(key.key);
      expect(await server.verify(text)).toMatchObject({ valid: true });
      expect(await server.verify(key.key)).toMatchObject({ valid: true });
      await page.getByLabel("I have stored it").check();
      await page.getByRole("button", { name: "Done" }).click();
      await expect(page.getByRole("region", { name: "Secrets" })).toContainText("Old secret");
      await expect(page.locator("html")).not.toContainText(text);
      await page.getByRole("link", { name: "End now…" }).click();
      if (javaScriptEnabled) await expect(page.getByRole("dialog", { name: "End the old secret?" })).toBeVisible();
      expect(await server.verify(key.key)).toMatchObject({ valid: true });
      await page.getByRole("button", { name: "End the old secret" }).click();
      await expect(page.getByRole("region", { name: "Secrets" })).toContainText("ended");
      expect(await server.verify(key.key)).toMatchObject({ valid: false, code: "INVALID_API_KEY" });
      expect(await server.verify(text)).toMatchObject({ valid: true });
    });

    test("several keys are disabled and revoked at once", async ({ page, team, server, signInAs }) => {
      const [one, two] = [await team.key({ name: "One" }), await team.key({ name: "Two" })];
      await team.key({ name: "Three" });
      await signInAs("owner");
      await page.goto(team.path("keys"));
      await page.getByRole("checkbox", { name: "Select One" }).check();
      await page.getByRole("checkbox", { name: "Select Two" }).check();
      await page.getByRole("button", { name: "Disable…" }).click();
      await page.getByRole("button", { name: "Disable 2 keys" }).click();
      await expect(page.getByText("2 keys disabled.")).toBeVisible();
      expect(await server.verify(one.key)).toMatchObject({ valid: false });
      if (javaScriptEnabled) {
        await hydrated(page);
        await page.getByRole("checkbox", { name: "Select all keys on this page" }).check();
        await expect(page.getByRole("checkbox", { name: "Select Three" })).toBeChecked();
        await page.getByRole("checkbox", { name: "Select Three" }).uncheck();
      } else {
        await page.getByRole("checkbox", { name: "Select One" }).check();
        await page.getByRole("checkbox", { name: "Select Two" }).check();
      }
      await page.getByRole("button", { name: "Revoke…" }).click();
      await page.getByLabel("Reason").selectOption("superseded");
      await page.getByRole("button", { name: "Revoke 2 keys" }).click();
      await expect(page.getByText("2 keys revoked.")).toBeVisible();
      expect(await server.verify(two.key)).toMatchObject({ valid: false });
    });
  });
}
