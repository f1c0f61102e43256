// A team that forms and changes: invite, accept, change a role, remove, leave.

import type { Browser, BrowserContext, Page } from "@playwright/test";

import { expect, hydrated, PASSWORD, test } from "../fixture/test.ts";
import type { Server } from "../fixture/server.ts";
import type { Watch } from "../fixture/watch.ts";

const EMAIL = "newcomer@example.com";

/** A browser of someone else. */
async function elsewhere(browser: Browser, server: Server, watch: Watch, javaScriptEnabled: boolean): Promise<BrowserContext> {
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled });
  watch.on(context);
  return context;
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    const open = async (page: Page, path: string) => {
      await page.goto(path);
      if (javaScriptEnabled) await hydrated(page);
    };

    test("someone is invited, joins, gets another role and is removed", async ({ page, browser, team, server, watch, signInAs }) => {
      await signInAs("owner");
      await open(page, team.path("members"));
      await page.getByRole("link", { name: "Invite", exact: true }).click();
      if (javaScriptEnabled) await hydrated(page);
      await page.getByLabel("E-mail").fill(EMAIL);
      await page.getByRole("button", { name: "Create invitation" }).click();
      await expect(page.getByRole("heading", { name: `Invitation for ${EMAIL}` })).toBeVisible();
      const link = new URL((await page.locator("#key").textContent()) ?? "").pathname;
      await page.getByRole("link", { name: "Done" }).click();
      await expect(page.getByRole("row", { name: new RegExp(EMAIL) })).toContainText("Some owner");
      expect(await page.content()).not.toContain(link);

      const context = await elsewhere(browser, server, watch, javaScriptEnabled);
      const theirs = await context.newPage();
      await open(theirs, link);
      await expect(theirs.getByRole("heading", { name: "Join Northwind Assist" })).toBeVisible();
      await theirs.getByLabel("Your name").fill("New Comer");
      await theirs.getByLabel("Password").fill(PASSWORD);
      await theirs.getByRole("button", { name: "Join" }).click();
      await expect(theirs).toHaveURL(team.path("keys"));
      await expect(theirs.getByText("You joined")).toBeVisible();
      watch.expect(410, link);
      await theirs.goto(link);
      await expect(theirs.getByRole("heading", { name: "No longer valid" })).toBeVisible();

      await open(page, team.path("members"));
      await page.getByRole("link", { name: "Change role New Comer" }).click();
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("radio", { name: /^Admin/ }).check();
      await page.getByRole("button", { name: "Change role" }).click();
      await expect(page.getByText("Role of “New Comer” changed.")).toBeVisible();
      await open(theirs, team.path("audit"));
      await expect(theirs.getByRole("heading", { name: "Audit log" })).toBeVisible();

      await page.getByRole("link", { name: "Remove New Comer" }).click();
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("button", { name: "Remove" }).click();
      await expect(page.getByText("“New Comer” removed from the organization.")).toBeVisible();
      watch.expect(404, team.path("keys"));
      await theirs.goto(team.path("keys"));
      await expect(theirs.getByRole("heading", { name: "No longer a member" })).toBeVisible();
      await open(theirs, "/");
      await expect(theirs.getByText("You are not in an organization")).toBeVisible();
      await context.close();
    });

    test("a member leaves, and the only owner learns why they cannot", async ({ page, browser, team, server, watch, signInAs }) => {
      await signInAs("member");
      await open(page, team.path("members"));
      await page.getByRole("row", { name: /\(you\)/ }).getByRole("link", { name: "Leave" }).click();
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("button", { name: "Leave organization" }).click();
      await expect(page).toHaveURL("/account");
      await expect(page.getByText("You left the organization.")).toBeVisible();

      const context = await elsewhere(browser, server, watch, javaScriptEnabled);
      const owners = await context.newPage();
      await open(owners, "/sign-in");
      await owners.getByLabel("E-mail").fill(team.email("owner"));
      await owners.getByLabel("Password").fill(PASSWORD);
      await owners.getByRole("button", { name: "Sign in" }).click();
      await expect(owners).toHaveURL(team.path("keys"));
      await open(owners, team.path("members"));
      await owners.getByRole("link", { name: "Leave" }).click();
      await expect(owners.getByText("You are the only owner. Before you leave, make another member an owner, or delete the organization.")).toBeVisible();
      await owners.getByRole("link", { name: "delete the organization" }).click();
      await expect(owners.getByRole("heading", { name: /^Delete/ })).toBeVisible();
      await context.close();
    });
  });
}
