// The search across an org, with keyboard and mouse.

import { expect, hydrated, test } from "../fixture/test.ts";

test("a key is found and opened from the keyboard", async ({ page, team, signInAs }) => {
  await signInAs("owner");
  const key = await team.key({ name: "Checkout server", kind: "secret" });
  await page.goto(team.path("usage"));
  await hydrated(page);
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: /^Search keys/ });
  await expect(field).toBeFocused();
  await expect(page.getByRole("option", { name: /^Audit log/ })).toBeVisible();
  await field.fill("checkout");
  await expect(page.getByRole("listbox").getByRole("option")).toHaveCount(1);
  await expect(page.getByRole("option", { name: /Checkout server/ })).toHaveAttribute("aria-selected", "true");
  await expect(page.getByRole("status").filter({ hasText: "1 result" })).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(team.path(`keys/${key.id}`));
});

test("arrows choose, Escape returns, and what is not there is said", async ({ page, team, signInAs }) => {
  await signInAs("member");
  await page.goto(team.path("keys"));
  await hydrated(page);
  const button = page.getByRole("button", { name: "Search" }).first();
  await button.click();
  const field = page.getByRole("combobox", { name: /^Search keys/ });
  await expect(page.getByRole("option")).toHaveCount(9);
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("option").nth(1)).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect(page.getByRole("option").nth(8)).toHaveAttribute("aria-selected", "true");
  await field.fill("no such thing");
  await expect(page.getByText("No results.")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(field).toBeHidden();
  await expect(button).toBeFocused();
});

test("a slash opens the search, unless someone types or a dialog is open", async ({ page, team, signInAs }) => {
  await signInAs("owner");
  await page.goto(team.path("keys/new"));
  await hydrated(page);
  await expect(page.getByRole("button", { name: "Search", exact: true })).toHaveAttribute("aria-keyshortcuts", "/ Control+K Meta+K");
  const field = page.getByRole("combobox", { name: /^Search keys/ });
  const name = page.getByRole("textbox", { name: "Name", exact: true });
  await name.click();
  await page.keyboard.type("a/b");
  await expect(name).toHaveValue("a/b");
  await expect(field).toBeHidden();
  await page.getByRole("heading", { level: 1 }).click();
  await page.keyboard.press("/");
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("");
  await page.keyboard.type("/");
  await expect(field).toHaveValue("/");
});
