// The review: an admin goes through findings and asks owners, an owner does it or answers, and both find the evidence.

import type { Page } from "@playwright/test";

import { expect, open, test } from "../fixture/test.ts";
import type { Team } from "../fixture/team.ts";

/** The card of a key or a review. */
const card = (page: Page, name: string) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name, exact: true }) });

/** Creates keys with findings. */
async function keys(team: Team, ...names: string[]): Promise<void> {
  for (const name of names) await team.key({ name });
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with scripts" : "without scripts", () => {
    test.use({ javaScriptEnabled });

    test("an admin keeps a key and asks about others, and an owner does one and answers the other", async ({ page, team, signInAs }) => {
      await keys(team, "Kept", "Rotated", "Revoked");
      await signInAs("admin");
      await page.goto(team.path("review"));
      await expect(page.getByText("0 of 3", { exact: true })).toBeVisible();
      await card(page, "Kept").getByLabel("Comment on Kept").fill("The till uses it");
      await card(page, "Kept").getByRole("button", { name: "Keep Kept" }).click();
      await expect(page.getByText("1 of 3", { exact: true })).toBeVisible();
      await expect(card(page, "Kept")).toHaveCount(0);
      await card(page, "Rotated").getByRole("button", { name: "Ask to rotate" }).click();
      await expect(card(page, "Rotated")).toHaveCount(0);
      await card(page, "Revoked").getByRole("button", { name: "Ask to revoke" }).click();
      await expect(page.getByRole("heading", { name: "Nothing to review" })).toBeVisible();
      await page.getByRole("link", { name: "Asked of owners 2" }).click();
      await expect(page.getByRole("button", { name: /Answer/ })).toHaveCount(0);

      await signInAs("owner");
      await page.goto(team.path("keys"));
      await page.getByRole("link", { name: /^Review.*2 requests of reviewers/ }).click();
      await page.getByRole("link", { name: "Asked of you 2" }).click();
      await card(page, "Revoked").getByRole("textbox", { name: "Answer about Revoked" }).fill("A partner needs it");
      await card(page, "Revoked").getByRole("button", { name: "Answer about Revoked" }).click();
      await expect(card(page, "Revoked")).toHaveCount(0);
      await card(page, "Rotated").getByRole("link", { name: "Rotate… Rotated" }).click();
      await page.getByRole("button", { name: "Rotate key" }).click();
      await expect(page.getByRole("heading", { name: "Rotated has a new secret" })).toBeVisible();
      await page.goto(team.path("review/asked"));
      await expect(page.getByRole("heading", { name: "Nothing is asked" })).toBeVisible();
      await page.goto(team.path("review/history"));
      const row = (name: string) => page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: new RegExp(`^${name}`) }) });
      await expect(row("Rotated")).toContainText(/Rotated by .* on /);
      await expect(row("Revoked")).toContainText("A partner needs it");
      await expect(row("Kept")).toContainText("The till uses it");
      await expect(row("Kept")).toContainText("Full access: no scopes selected.");
    });
  });
}

test("a review continues with the keyboard at the next key", async ({ page, team, signInAs }) => {
  await keys(team, "Third", "Second", "First");
  await signInAs("admin");
  await open(page, team.path("review"));
  await card(page, "First").getByRole("button", { name: "Keep First" }).press("Enter");
  await expect(card(page, "First")).toHaveCount(0);
  // The next key has the focus's place: its name, the comment, the time and the button follow.
  await expect(page).toHaveURL(/#key_/);
  await page.keyboard.press("Tab");
  await expect(card(page, "Second").getByRole("link", { name: "Second", exact: true })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(card(page, "Second").getByLabel("Comment on Second")).toBeFocused();
  await page.keyboard.type("Ours");
  await page.keyboard.press("Enter");
  await expect(page.getByText("2 of 3", { exact: true })).toBeVisible();
});

test("the history is printed without the frame of the page", async ({ page, team, signInAs }) => {
  await keys(team, "Production");
  await signInAs("owner");
  await open(page, team.path("review"));
  await expect(card(page, "Production").getByRole("link", { name: "Rotate… Production" })).toBeVisible();
  await card(page, "Production").getByRole("button", { name: "Keep Production" }).click();
  await open(page, `${team.path("review/history")}?print=1`);
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("navigation")).toHaveCount(0);
  await expect(page.getByRole("cell", { name: /^Keep until/ })).toBeVisible();
  await expect(page.getByText("1 of 1", { exact: true })).toBeVisible();
});

test("a member has no review", async ({ page, team, watch, signInAs }) => {
  await signInAs("member");
  await open(page, team.path("keys"));
  await expect(page.getByRole("link", { name: /^Review/ })).toHaveCount(0);
  watch.expect(403, team.path("review"));
  await page.goto(team.path("review"));
  await expect(page.getByRole("heading", { name: "Permission denied" })).toBeVisible();
});
