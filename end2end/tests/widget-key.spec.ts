// Widget keys: creation with domains, and rejection on other sites.

import { expect, hydrated, test } from "../fixture/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("a widget key works on its domains only", async ({ page, team, server, signInAs }) => {
      await signInAs("owner");
      await page.goto(team.path("keys/new"));
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("radio", { name: /^Widget/ }).check();
      await page.getByRole("textbox", { name: "Name", exact: true }).fill("Website widget");
      await page.getByRole("textbox", { name: "Allowed domains" }).fill("Northwind.example\n*.northwind.example, https://shop.test:8443");
      await page.getByRole("radio", { name: /^Full access/ }).check();
      await page.getByRole("button", { name: "Create key" }).click();
      await expect(page.getByRole("heading", { name: "Website widget is ready" })).toBeVisible();
      const text = await page.locator(".secret code").innerText();
      expect(text).toMatch(/^lk_pk_live_/);

      for (const origin of ["https://northwind.example", "https://help.northwind.example:444", "https://shop.test:8443"]) {
        expect(await server.verify(text, { origin }), origin).toMatchObject({ valid: true, code: "VALID" });
      }
      for (const origin of ["https://northwind.example.evil.example", "https://evilnorthwind.example", "http://shop.test:8443", "null"]) {
        expect(await server.verify(text, { origin }), origin).toMatchObject({ valid: false, code: "ORIGIN_NOT_ALLOWED", status: 403 });
      }
      expect(await server.verify(text), "no origin").toMatchObject({ valid: false, code: "ORIGIN_NOT_ALLOWED" });
    });

    test("a form that will not do comes back with what was entered and why", async ({ page, team, watch, signInAs }) => {
      await signInAs("owner");
      await page.goto(team.path("keys/new"));
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("radio", { name: /^Widget/ }).check();
      await page.getByRole("textbox", { name: "Name", exact: true }).fill("Web <b>site</b>");
      await page.getByRole("textbox", { name: "Allowed domains" }).fill("</textarea><b>co.uk</b>, com");
      await page.getByText("More options").click();
      await page.getByLabel("Notes").fill("</textarea><script>alert(1)</script>");
      // What is wrong with the domains is told once they are left, and moves what is below.
      if (javaScriptEnabled) await expect(page.getByRole("textbox", { name: "Allowed domains" })).toHaveAttribute("aria-invalid", "true");
      if (!javaScriptEnabled) watch.expect(422, team.path("keys/new"));
      await page.getByRole("radio", { name: /^Full access/ }).check();
      await page.getByRole("button", { name: "Create key" }).click();
      await expect(page.getByRole("alert")).toBeVisible();
      await expect(page.getByRole("textbox", { name: "Name", exact: true })).toHaveValue("Web <b>site</b>");
      await expect(page.getByRole("radio", { name: /^Widget/ })).toBeChecked();
      await expect(page.getByLabel("Notes")).toHaveValue("</textarea><script>alert(1)</script>");
      const domains = page.getByRole("textbox", { name: "Allowed domains" });
      await expect(domains).toHaveValue("</textarea><b>co.uk</b>, com");
      await expect(domains).toHaveAttribute("aria-invalid", "true");
      await expect(domains).toHaveAccessibleDescription(/com/);

      await domains.fill("northwind.example");
      await page.getByRole("button", { name: "Create key" }).click();
      await expect(page.getByRole("heading", { name: "Web <b>site</b> is ready" })).toBeVisible();
    });
  });
}
