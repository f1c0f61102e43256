// Agents: creation with domains, embedding with only the public ID, editing and deletion.

import { expect, hydrated, test } from "../fixture/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("an agent is made, embedded, changed and deleted", async ({ page, team, server, watch, signInAs }) => {
      await signInAs("owner");
      await page.goto(team.path("agents"));
      await page.getByRole("link", { name: "Create agent" }).first().click();
      await expect(page.getByRole("heading", { name: "Create agent" })).toBeVisible();
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("textbox", { name: "Name", exact: true }).fill("Support assistant");
      await page.getByRole("textbox", { name: "Allowed domains" }).fill("northwind.example");
      await page.getByRole("checkbox", { name: /with its public ID alone/ }).check();
      await page.getByRole("button", { name: "Create agent" }).click();
      await expect(page.getByRole("heading", { name: "Support assistant" })).toBeVisible();
      const id = page.url().match(/agt_[0-9A-Za-z]{22}/)?.[0] ?? "";
      await expect(page.getByText(`data-agent="${id}"`)).toBeVisible();

      const ask = (origin: string) => server.ask({ agent: id, origin });
      expect(await ask("https://northwind.example")).toMatchObject({ valid: true, agent: { public_id: id } });
      expect(await ask("https://evil.example")).toMatchObject({ valid: false, code: "ORIGIN_NOT_ALLOWED" });

      await page.getByRole("textbox", { name: "Allowed domains" }).fill("co.uk");
      watch.expect(422, new URL(page.url()).pathname);
      await page.getByRole("button", { name: "Save" }).click();
      await expect(page.getByRole("alert")).toBeVisible();
      await expect(page.getByRole("textbox", { name: "Allowed domains" })).toHaveValue("co.uk");
      await expect(page.getByRole("textbox", { name: "Allowed domains" })).toHaveAccessibleDescription(/Anyone can have a site under/);
      expect(await ask("https://northwind.example")).toMatchObject({ valid: true });

      await page.getByRole("textbox", { name: "Allowed domains" }).fill("shop.example");
      await page.getByRole("button", { name: "Save" }).click();
      await expect(page.getByText("“Support assistant” updated.")).toBeVisible();
      await expect(page.getByRole("button", { name: "Undo" })).toBeVisible();
      expect(await ask("https://northwind.example")).toMatchObject({ code: "ORIGIN_NOT_ALLOWED" });
      expect(await ask("https://shop.example")).toMatchObject({ valid: true });

      // Its requests are counted after a moment. From then on, its name is required.
      await expect(async () => {
        await page.reload();
        await expect(page.locator("#confirm")).toBeAttached({ timeout: 1_000 });
      }).toPass();
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("link", { name: "Delete…" }).click();
      if (javaScriptEnabled) await expect(page.getByRole("dialog", { name: /^Delete/ })).toBeVisible();
      await page.getByRole("textbox", { name: /to confirm$/ }).fill("Support assistant");
      await page.getByRole("button", { name: "Delete agent" }).click();
      await expect(page.getByText("Agent deleted.")).toBeVisible();
      expect(await ask("https://shop.example")).toMatchObject({ code: "AGENT_NOT_FOUND", status: 404 });
    });
  });
}

test("domains are checked while they are typed", async ({ page, team, signInAs }) => {
  await signInAs("owner");
  await page.goto(team.path("agents/new"));
  await hydrated(page);
  const domains = page.getByRole("textbox", { name: "Allowed domains" });
  await domains.fill("shop.example/cart");
  await domains.blur();
  await expect(domains).toHaveAccessibleDescription(/Remove the path/);
  await domains.fill("shop.example");
  await domains.blur();
  await expect(domains).not.toHaveAttribute("aria-invalid", "true");
});

test("a member sees agents' names and public IDs, and no form", async ({ page, team, signInAs }) => {
  await signInAs("member");
  await page.goto(team.path("agents"));
  await expect(page.getByRole("heading", { name: "No agents yet" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Create agent" })).toHaveCount(0);
  await expect(page.getByRole("navigation", { name: "Main" }).getByRole("link")).toHaveText(["Keys", "Key requests", "Agents", "Usage", "Members", "Docs"]);
});
