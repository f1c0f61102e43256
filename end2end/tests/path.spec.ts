// The main path, from an empty server to a revoked key, with and without JavaScript.

import { expect, hydrated, PASSWORD, test } from "../fixture/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ empty: true, javaScriptEnabled, permissions: ["clipboard-read", "clipboard-write"] });

    test("from sign-up to a key that stops working", async ({ page, server }) => {
      const ready = () => (javaScriptEnabled ? hydrated(page) : Promise.resolve());
      let text = "";

      await test.step("whoever has the setup link makes the first account", async () => {
        await page.goto("/");
        await expect(page).toHaveURL("/sign-up");
        await expect(page.getByLabel("Setup code")).toBeVisible();
        await page.goto(await server.instance.setupPath());
        await ready();
        await expect(page.getByLabel("Setup code")).toHaveCount(0);
        await page.getByLabel("Your name").fill("Dana Reyes");
        await page.getByLabel("E-mail").fill("dana@northwind.example");
        await page.getByLabel("Organization").fill("Northwind Assist");
        await page.getByLabel("Password").fill(PASSWORD);
        await page.getByRole("button", { name: "Create account" }).click();
        await expect(page).toHaveURL("/orgs/northwind-assist/keys");
        await expect(page.getByRole("heading", { name: "Keys", level: 1 })).toBeVisible();
      });

      await test.step("makes the first key", async () => {
        await page.getByRole("main").getByRole("link", { name: "Create key" }).first().click();
        await expect(page.getByRole("heading", { name: "Create key", level: 1 })).toBeVisible();
        await page.getByRole("textbox", { name: "Name", exact: true }).fill("Production server");
        await page.getByRole("radio", { name: /^Full access/ }).check();
        await page.getByRole("button", { name: "Create key" }).click();
        await expect(page.getByRole("heading", { name: "Production server is ready" })).toBeVisible();
        text = await page.locator(".secret code").innerText();
        expect(text).toMatch(/^lk_sk_live_[0-9A-Za-z]{32}$/);
      });

      if (javaScriptEnabled) {
        await test.step("copies it", async () => {
          await hydrated(page);
          await page.getByRole("button", { name: "Copy key" }).click();
          await expect(page.getByRole("status").getByText("Key copied")).toBeVisible();
          expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(text);
        });
      }

      await test.step("cannot see it again", async () => {
        if (javaScriptEnabled) {
          await page.reload();
        } else {
          // A reload would resubmit the form, which shows the key again for 30 seconds.
          await page.getByLabel("I have stored it").check();
          await page.getByRole("button", { name: "Done" }).click();
        }
        await expect(page.getByRole("heading", { name: /^Production server( Active)?$/, level: 1 })).toBeVisible();
        expect(await page.content()).not.toContain(text);
        if (javaScriptEnabled) {
          await page.goBack();
          await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
          expect(await page.content()).not.toContain(text);
        }
        await page.goto("/orgs/northwind-assist/keys");
        await expect(page.getByRole("row", { name: /Production server/ })).toHaveCount(1);
        expect(await page.content()).not.toContain(text);
      });

      await test.step("an API server verifies it", async () => {
        expect(await server.verify(text)).toMatchObject({ valid: true, code: "VALID", status: 200 });
      });

      await test.step("the use is shown", async () => {
        await expect(async () => {
          await page.goto("/orgs/northwind-assist/usage");
          const requests = page.getByRole("main").locator(".stat").filter({ hasText: "Requests" });
          await expect(requests.locator(".figure")).toHaveText("1", { timeout: 1_000 });
        }).toPass();
        await expect(page.getByRole("row", { name: /Production server/ })).toBeVisible();
        await page.getByRole("main").getByRole("link", { name: "Production server" }).click();
        await expect(page.getByRole("heading", { name: "Production server", level: 1 })).toBeVisible();
        await expect(page.locator(".facts")).toContainText(/Last used\s*(just now|\d+ seconds? ago|\d+ minutes? ago)/);
      });

      await test.step("disables and enables it", async () => {
        await ready();
        await page.getByRole("button", { name: "Disable" }).click();
        await expect(page.getByRole("heading", { level: 1 }).getByText("Disabled")).toBeVisible();
        expect(await server.verify(text)).toMatchObject({ valid: false, code: "INVALID_API_KEY", reason: "disabled" });
        await page.getByRole("button", { name: "Enable" }).click();
        await expect(page.getByRole("heading", { level: 1 }).getByText("Active")).toBeVisible();
        expect(await server.verify(text)).toMatchObject({ valid: true, code: "VALID" });
      });

      await test.step("revokes it with a reason", async () => {
        await ready();
        await page.getByRole("main").getByText("Revoke key…").click();
        const question = page.locator(".dialog", { hasText: "Revoke" }).filter({ visible: true });
        await question.getByLabel("Reason").selectOption({ label: "Compromised" });
        await question.getByRole("button", { name: "Revoke key" }).click();
        await expect(page.getByRole("heading", { level: 1 }).getByText("Revoked · compromised")).toBeVisible();
        expect(await server.verify(text)).toMatchObject({ valid: false, code: "INVALID_API_KEY", reason: "revoked" });
        await expect(page.getByRole("button", { name: /Disable|Enable|Revoke/ })).toHaveCount(0);
        await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Keys" }).click();
        await expect(page.getByRole("row", { name: /Production server/ })).toContainText("Revoked · compromised");
      });
    });
  });
}
