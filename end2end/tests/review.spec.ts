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
      await expect(page.getByRole("link", { name: "3 to review" })).toBeVisible();
      await card(page, "Kept").getByLabel("Why Kept can be kept").fill("The till uses it");
      await card(page, "Kept").getByRole("button", { name: "Keep Kept" }).click();
      await expect(page.getByRole("link", { name: "1 reviewed" })).toBeVisible();
      await expect(card(page, "Kept")).toHaveCount(0);
      await card(page, "Rotated").getByText("Other steps").click();
      await card(page, "Rotated").getByRole("button", { name: "Ask to rotate" }).click();
      await expect(card(page, "Rotated")).toHaveCount(0);
      await card(page, "Revoked").getByText("Other steps").click();
      await card(page, "Revoked").getByRole("button", { name: "Ask to revoke" }).click();
      await expect(page.getByRole("heading", { name: "Nothing to review" })).toBeVisible();
      await page.getByRole("link", { name: "Asked of owners 2" }).click();
      await expect(page.getByRole("button", { name: /Answer/ })).toHaveCount(0);

      await signInAs("owner");
      await page.goto(team.path("keys"));
      await page.getByRole("link", { name: /^Review.*2 requests of reviewers/ }).click();
      await page.getByRole("link", { name: "Asked of you 2" }).click();
      await card(page, "Revoked").getByRole("textbox", { name: "Answer about Revoked" }).fill("A partner needs it");
      await card(page, "Revoked").getByRole("button", { name: "Answer and close the request about Revoked" }).click();
      await expect(card(page, "Revoked")).toHaveCount(0);
      await card(page, "Rotated").getByRole("button", { name: "Promise to do it for Rotated" }).click();
      await expect(card(page, "Rotated").getByText(/ will do it, promised on /)).toBeVisible();
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

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "an admin with scripts" : "an admin without scripts", () => {
    test.use({ javaScriptEnabled, viewport: { width: 1320, height: 700 } });

    test("goes through several keys with the keyboard, and each time continues at the next one", async ({ page, team, signInAs }) => {
      const names = ["Sixth", "Fifth", "Fourth", "Third", "Second", "First"];
      await keys(team, ...names);
      await signInAs("admin");
      await page.goto(team.path("review"));
      await card(page, "First").getByLabel("Why First can be kept").press("Enter");
      for (const name of ["Second", "Third"]) {
        // The card has the focus and is in view. Its name, the comment, the time and the button follow.
        await expect(card(page, name)).toBeFocused();
        await expect(card(page, name)).toBeInViewport();
        await page.keyboard.press("Tab");
        await expect(card(page, name).getByRole("link", { name, exact: true })).toBeFocused();
        await page.keyboard.press("Tab");
        await expect(card(page, name).getByLabel(`Why ${name} can be kept`)).toBeFocused();
        await page.keyboard.type("Ours");
        await page.keyboard.press("Enter");
        await expect(card(page, name)).toHaveCount(0);
      }
      // One that is skipped stays where it is.
      await expect(card(page, "Fourth")).toBeFocused();
      await card(page, "Fifth").getByRole("button", { name: "Ask to restrict scopes" }).press("Enter");
      await expect(card(page, "Sixth")).toBeFocused();
      await expect(card(page, "Fourth")).toHaveCount(1);
      await card(page, "Sixth").getByLabel("Why Sixth can be kept").press("Enter");
      await expect(card(page, "Fourth")).toBeFocused();
      await expect(page.getByRole("link", { name: "4 reviewed", exact: true })).toBeVisible();
      await expect(page.getByRole("link", { name: "1 with owners asked" })).toBeVisible();
    });
  });
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "a request, with scripts" : "a request, without scripts", () => {
    test.use({ javaScriptEnabled });

    test("ends with a comment when the key is kept, and the owner sees why", async ({ page, team, signInAs, watch }) => {
      await keys(team, "Server");
      await signInAs("admin");
      await page.goto(team.path("review"));
      await card(page, "Server").getByText("Other steps").click();
      await card(page, "Server").getByRole("button", { name: "Ask to rotate" }).click();
      await page.getByRole("link", { name: "1 with owners asked" }).click();
      await card(page, "Server").getByRole("button", { name: "Ask to restrict scopes" }).click();
      await expect(card(page, "Server").getByText("Keeping the key ends what is asked of the owners: rotate, restrict scopes.")).toBeVisible();
      watch.expect(422, team.path("review"));
      await card(page, "Server").getByRole("button", { name: "Keep Server" }).click();
      await expect(card(page, "Server").getByRole("alert")).toContainText("Enter a comment that says why this key can be kept.");
      await card(page, "Server").getByLabel("Why Server can be kept").fill("It is replaced today");
      await card(page, "Server").getByRole("button", { name: "Keep Server" }).click();
      await expect(page.getByRole("heading", { name: "Nothing asked" })).toBeVisible();

      await signInAs("owner");
      await page.goto(team.path("review/asked"));
      await expect(page.getByRole("heading", { name: "Nothing is asked" })).toBeVisible();
      await expect(page.getByRole("region", { name: "Ended by a reviewer in the last 30 days" })).toContainText("It is replaced today");
    });
  });
}

test("a step leads an owner to the field that it is about", async ({ page, team, signInAs }) => {
  await keys(team, "Server");
  await team.key({ name: "Shop", kind: "widget", domains: ["shop.example"], scopes: ["bots:read"], expiresInDays: 10 });
  await signInAs("owner");
  for (const [key, step, field] of [
    ["Server", "Edit scopes", "#scopes"],
    ["Shop", "Extend", "#expires"],
  ] as const) {
    await open(page, team.path("review"));
    await card(page, key).getByRole("link", { name: `${step} ${key}` }).click();
    await expect(page.locator(field)).toBeFocused();
    await expect(page.locator(field)).toBeInViewport();
  }
});

test("on a phone, a key of the review fits the screen", async ({ page, team, signInAs }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await keys(team, "Server");
  await signInAs("admin");
  await open(page, team.path("review"));
  const box = await card(page, "Server").boundingBox();
  expect(box?.height).toBeLessThan(440);
});

test("the history is printed without the frame of the page", async ({ page, team, signInAs }) => {
  await keys(team, "Production");
  await signInAs("owner");
  await open(page, team.path("review"));
  await card(page, "Production").getByText("Other steps").click();
  await expect(card(page, "Production").getByRole("link", { name: "Rotate… Production" })).toBeVisible();
  await card(page, "Production").getByRole("button", { name: "Keep Production" }).click();
  await open(page, `${team.path("review/history")}?print=1`);
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("navigation")).toHaveCount(0);
  await expect(page.getByRole("cell", { name: /^Keep until/ })).toBeVisible();
  await expect(page.getByText(/^1 review of 1 key\. Of 1 active key with findings now, a person reviewed 1\./)).toBeVisible();
  await expect(page.getByRole("link", { name: "Findings" })).toHaveCount(0);
});

test("a member has no review", async ({ page, team, watch, signInAs }) => {
  await signInAs("member");
  await open(page, team.path("keys"));
  await expect(page.getByRole("link", { name: /^Review/ })).toHaveCount(0);
  watch.expect(403, team.path("review"));
  await page.goto(team.path("review"));
  await expect(page.getByRole("heading", { name: "Permission denied" })).toBeVisible();
});
