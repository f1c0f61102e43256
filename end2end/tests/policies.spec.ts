// Key policies: an owner sets them, and the form of a new key says what they ask and what breaks them.

import { expect, hydrated, open, test } from "../fixture/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("an owner sets policies, and a key that breaks one is told at its field", async ({ page, team, server, watch, signInAs }) => {
      const old = await team.key({ name: "Old server" });
      await signInAs("owner");
      await page.goto(team.path("settings"));
      await page.getByRole("link", { name: "Key policies" }).click();
      await expect(page.getByRole("heading", { level: 1, name: "Key policies" })).toBeVisible();
      await page.getByLabel("Longest life of a key in days").fill("a year");
      watch.expect(422, team.path("settings/policies"));
      await page.getByRole("button", { name: "Save" }).click();
      const life = page.getByLabel("Longest life of a key in days");
      await expect(life).toHaveAttribute("aria-invalid", "true");
      await expect(life).toHaveAccessibleDescription(/Enter a number of days from 1 to 3,650/);
      await life.fill("45");
      await page.getByRole("radiogroup", { name: "Scopes", exact: true }).getByRole("radio", { name: /^Required/ }).check();
      await page.getByRole("radiogroup", { name: /^IP ranges/ }).getByRole("radio", { name: /^Required/ }).check();
      await page.getByRole("button", { name: "Save" }).click();
      await expect(page.getByText("Saved.")).toBeVisible();
      await expect(life).toHaveValue("45");

      // Older keys keep working, and their page says what they break.
      expect(await server.verify(old.key)).toMatchObject({ valid: true });
      await page.goto(team.path(`keys/${old.id}`));
      await expect(page.getByText("Policy: keys expire within 45 days.")).toBeVisible();
      await expect(page.getByText("This live key has no IP ranges")).toBeVisible();

      await page.goto(team.path("keys/new"));
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("radio", { name: /^Secret/ }).check();
      await page.getByRole("textbox", { name: "Name", exact: true }).fill("Server");
      const expires = page.getByLabel("Expires", { exact: true });
      await expect(expires.locator("option")).toHaveText([/^In 30 days/, /^In 45 days/, "On a date…"]);
      await expect(expires).toHaveValue("45");
      const full = page.getByRole("radio", { name: /^Full access/ });
      await expect(full).toBeDisabled();
      await expect(full).toHaveAccessibleDescription(/Your organization requires scopes/);
      await expect(page.getByRole("radio", { name: /^Only these/ })).toBeChecked();
      await expect(page.getByRole("checkbox", { name: /^admin/ })).toBeDisabled();
      await expect(expires).toHaveAccessibleDescription(/Your organization limits the life of keys to 45 days/);
      await page.getByRole("checkbox", { name: /^bots:read/ }).check();
      const ranges = page.getByRole("textbox", { name: "IP ranges" });
      await expect(ranges).toHaveAccessibleDescription(/Your organization requires them for live secret keys/);
      if (!javaScriptEnabled) watch.expect(422, team.path("keys/new"));
      await page.getByRole("button", { name: "Create key" }).click();
      await expect(page.getByRole("alert")).toBeVisible();
      await expect(ranges).toHaveAttribute("aria-invalid", "true");
      await expect(ranges).toHaveAccessibleDescription(/Live secret keys of this organization must have IP ranges/);
      await ranges.fill("192.0.2.0/24");
      await page.getByRole("button", { name: "Create key" }).click();
      await expect(page.getByRole("heading", { name: "Server is ready" })).toBeVisible();
    });
  });
}

for (const [where, name] of [["the form of a new key", "Allowed domains"], ["the page of a key", "Add domains"]] as const) {
  test(`a forbidden localhost is explained at its field on ${where}, also after the field's own check`, async ({ page, team, signInAs }) => {
    const old = await team.key({ name: "Website", kind: "widget", domains: ["one.example"] });
    await signInAs("owner");
    await page.goto(team.path("settings/policies"));
    await page.getByRole("radiogroup", { name: "Pages on localhost" }).getByRole("radio", { name: /^Forbidden/ }).check();
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("Saved.")).toBeVisible();

    const isNew = name === "Allowed domains";
    await open(page, team.path(isNew ? "keys/new" : `keys/${old.id}`));
    await page.clock.install();
    if (isNew) {
      await page.getByRole("radio", { name: /^Widget/ }).check();
      await page.getByRole("textbox", { name: "Name", exact: true }).fill("Shop");
    }
    const field = page.getByRole("textbox", { name, exact: true });
    await field.fill("http://localhost:3000");
    // The browser checks the field as it is left to submit the form, and shows the result a moment later.
    const checked = page.waitForResponse((response) => response.url().endsWith("/api/domains/check"));
    if (isNew) await page.getByRole("button", { name: "Create key" }).click();
    else await field.press("Enter");
    await (await checked).finished();
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await page.clock.runFor(1_000);
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(field).toHaveAccessibleDescription(/Live widget keys of this organization cannot work on localhost/);
    await expect(field).toHaveValue("http://localhost:3000");
  });
}
