// The form that creates a key: what it can do, and what most keys do not have.

import { expect, hydrated, test } from "../fixture/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("whoever chose nothing that the key can do is led to the scopes", async ({ page, team, watch, signInAs }) => {
      await signInAs("owner");
      await page.goto(team.path("keys/new"));
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("textbox", { name: "Name", exact: true }).fill("Production server");
      await expect(page.getByRole("radio", { name: /^Only these/ })).toBeChecked();
      await expect(page.getByText("No scopes are selected yet.")).toBeVisible();
      if (!javaScriptEnabled) watch.expect(422, team.path("keys/new"));
      await page.getByRole("button", { name: "Create key" }).click();
      const summary = page.getByRole("alert");
      await expect(summary).toBeFocused();
      await expect(summary).toBeInViewport();
      await page.keyboard.press("Tab");
      await expect(summary.getByRole("link")).toBeFocused();
      await page.keyboard.press("Enter");
      const scopes = page.getByRole("group", { name: "Access" });
      await expect(scopes).toBeFocused();
      await expect(scopes).toHaveAccessibleDescription(/Select what the key can do, or choose full access\./);
      const sentence = page.getByText("Select what the key can do, or choose full access.");
      await expect(sentence).toBeInViewport();
      await page.getByRole("checkbox").first().check();
      await expect(page.getByText("No scopes are selected yet.")).toBeHidden();
      if (javaScriptEnabled) await expect(sentence).toBeHidden();
      await page.getByRole("button", { name: "Create key" }).click();
      await expect(page.getByRole("heading", { name: "Production server is ready" })).toBeVisible();
    });

    test("an error among the folded options opens them", async ({ page, team, watch, signInAs }) => {
      await signInAs("owner");
      await page.goto(team.path("keys/new"));
      if (javaScriptEnabled) await hydrated(page);
      const metadata = page.getByLabel("Metadata");
      await expect(metadata).toBeHidden();
      await page.getByText("More options").focus();
      await page.keyboard.press("Enter");
      await metadata.fill("{");
      await page.getByRole("textbox", { name: "Name", exact: true }).fill("Production server");
      await page.getByRole("radio", { name: /^Full access/ }).check();
      await page.getByText("More options").click();
      await expect(metadata).toBeHidden();
      if (!javaScriptEnabled) watch.expect(422, team.path("keys/new"));
      await page.getByRole("button", { name: "Create key" }).click();
      await expect(page.getByRole("alert")).toBeFocused();
      await expect(metadata).toBeVisible();
      await expect(metadata).toHaveAttribute("aria-invalid", "true");
    });
  });
}
