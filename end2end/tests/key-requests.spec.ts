// A member gets a key without anyone sending a secret: they ask, an owner decides, and they reveal the key once.

import type { Browser, Page } from "@playwright/test";

import { expect, hydrated, signIn, test } from "../fixture/test.ts";
import type { Server } from "../fixture/server.ts";
import type { Role, Team } from "../fixture/team.ts";
import type { Watch } from "../fixture/watch.ts";

/** The content of the page and where it is. */
const held = (page: Page) => page.evaluate(() => [document.documentElement.outerHTML, location.href, JSON.stringify(history.state)].join("\n"));

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    const alive = async (page: Page) => {
      if (javaScriptEnabled) await hydrated(page);
    };
    const open = async (page: Page, path: string) => {
      await page.goto(path);
      await alive(page);
    };

    /** A page of someone else's browser. */
    async function pageOf(browser: Browser, server: Server, watch: Watch, team: Team, role: Role): Promise<Page> {
      const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled });
      watch.on(context);
      await signIn(context, server, team.email(role));
      return context.newPage();
    }

    /** Asks for a key that reads bots. */
    async function ask(page: Page, name: string): Promise<void> {
      await alive(page);
      await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
      await page.getByRole("textbox", { name: "Purpose" }).fill("The weekly report of the support team.");
      await page.getByRole("checkbox", { name: /^bots:read/ }).check();
      if (javaScriptEnabled) await expect(page.getByText("Can read bots; cannot write anything.")).toBeVisible();
      await page.getByLabel("Expires").selectOption({ label: "90 days after it is revealed" });
      await page.getByRole("button", { name: "Send request" }).click();
      await expect(page.getByText("Request sent.")).toBeVisible();
    }

    test("a member asks, an owner approves, and the member reveals the key once", async ({ page, browser, team, server, watch, signInAs }) => {
      await signInAs("member");
      await open(page, team.path("keys"));
      await page.getByRole("link", { name: "Ask for a key" }).first().click();
      await ask(page, "Weekly report");
      await expect(page.getByText(`Ask Some owner (${team.email("owner")}) to decide.`)).toBeVisible();
      await expect(page.getByRole("button", { name: "Approve" })).toHaveCount(0);

      const owner = await pageOf(browser, server, watch, team, "owner");
      await open(owner, team.path("keys"));
      await owner.getByRole("link", { name: /^Key requests ?, 1 request waits for a decision/ }).click();
      await expect(owner.getByRole("row", { name: /Weekly report/ })).toContainText("Can read bots; cannot write anything.");
      await owner.getByRole("link", { name: "Weekly report" }).click();
      await expect(owner.getByText("The weekly report of the support team.")).toBeVisible();
      await owner.getByRole("textbox", { name: /^Comment/ }).fill("Keep it in the vault.");
      await owner.getByRole("button", { name: "Approve" }).click();
      await expect(owner.getByText("Request approved.")).toBeVisible();

      await open(page, team.path("keys"));
      await page.getByRole("link", { name: /^Key requests ?, 1 key is ready to reveal/ }).click();
      await page.getByRole("link", { name: "Weekly report" }).click();
      await expect(page.getByText("“Keep it in the vault.”")).toBeVisible();
      await alive(page);
      await page.getByRole("button", { name: "Reveal key" }).click();
      await expect(page.getByRole("heading", { level: 1, name: "Weekly report is ready" })).toBeVisible();
      const key = await page.locator("#key").innerText();
      expect(await server.verify(key, { scopes: ["bots:read"] })).toMatchObject({ valid: true });
      expect(await server.verify(key, { scopes: ["bots:write"] })).toMatchObject({ valid: false });
      if (javaScriptEnabled) {
        await hydrated(page);
        await expect(page.getByRole("button", { name: "Copy key" })).toBeFocused();
        await page.reload();
        await expect(page.getByRole("heading", { level: 1, name: /^Weekly report( Active)?$/ })).toBeVisible();
        expect(await held(page)).not.toContain(key);
      } else {
        await page.getByRole("checkbox", { name: "I have stored it" }).check();
        await page.getByRole("button", { name: "Done" }).click();
        await expect(page.getByRole("heading", { level: 1, name: /^Weekly report( Active)?$/ })).toBeVisible();
      }
      await open(page, team.path("requests"));
      await page.getByRole("link", { name: "Weekly report" }).click();
      await expect(page.getByText("It cannot be shown again.")).toBeVisible();
      await expect(page.getByRole("button", { name: "Reveal key" })).toHaveCount(0);
      await open(owner, team.path("keys"));
      await owner.getByRole("link", { name: "Weekly report" }).click();
      await expect(owner.getByRole("region", { name: "Details" })).toContainText("by Some owner");

      // Nobody sends the secret of a later rotation either.
      await owner.getByRole("link", { name: "Rotate…" }).click();
      await alive(owner);
      await owner.getByRole("radio", { name: /^Some member/ }).check();
      await owner.getByRole("button", { name: "Rotate key" }).click();
      await expect(owner.getByText(/^Waiting for Some member to reveal the new secret until/)).toBeVisible();
      await open(page, team.path("requests"));
      await page.getByText("A new secret of Weekly report is ready to reveal.").getByRole("link").click();
      await alive(page);
      await page.getByRole("button", { name: "Reveal the new secret" }).click();
      await expect(page.getByRole("heading", { level: 1, name: "Weekly report has a new secret" })).toBeVisible();
      const next = await page.locator("#key").innerText();
      expect(next).not.toBe(key);
      for (const secret of [key, next]) expect(await server.verify(secret, { scopes: ["bots:read"] })).toMatchObject({ valid: true });
      await owner.reload();
      await expect(owner.getByText(/^Waiting for Some member/)).toHaveCount(0);
      await owner.context().close();
    });

    test("an owner changes what an admin asks for, and declines", async ({ page, browser, team, server, watch, signInAs }) => {
      await signInAs("admin");
      watch.expect(403, team.path("keys/new"));
      await page.goto(team.path("keys/new"));
      await page.getByRole("link", { name: "Ask for a key" }).click();
      await alive(page);
      watch.expect(422, team.path("requests/new"));
      await page.getByRole("textbox", { name: "Name", exact: true }).fill("Everything");
      await page.getByRole("radio", { name: /^Full access/ }).check();
      await page.getByLabel("Expires").selectOption("never");
      await page.getByRole("button", { name: "Send request" }).click();
      await expect(page.getByText("Say what the key is for")).toBeVisible();
      await alive(page);
      await page.getByRole("textbox", { name: "Purpose" }).fill("A copy of all data.");
      await page.getByRole("button", { name: "Send request" }).click();
      await expect(page.getByText("Request sent.")).toBeVisible();
      await expect(page.getByText("Full access, and no expiry.")).toBeVisible();

      const owner = await pageOf(browser, server, watch, team, "owner");
      await open(owner, team.path("requests"));
      await expect(owner.getByRole("row", { name: /Everything/ })).toContainText("No expiry");
      await owner.getByRole("link", { name: "Everything" }).click();
      await owner.getByRole("link", { name: "Change…" }).click();
      await alive(owner);
      await owner.getByRole("radio", { name: /^Only these/ }).check();
      await owner.getByRole("checkbox", { name: /^bots:read/ }).check();
      await owner.getByLabel("Expires").selectOption({ label: "30 days after it is revealed" });
      await owner.getByRole("button", { name: "Save" }).click();
      await expect(owner.getByText("Request changed.")).toBeVisible();
      await expect(owner.getByText("Full access, and no expiry.")).toBeHidden();
      const path = new URL(owner.url()).pathname;
      watch.expect(422, path);
      await owner.getByRole("button", { name: "Decline" }).click();
      await expect(owner.getByText("Say why, so that the requester knows what to change.")).toBeVisible();
      await owner.getByRole("textbox", { name: /^Comment/ }).fill("Ask for one table at a time.");
      await owner.getByRole("button", { name: "Decline" }).click();
      await expect(owner.getByText("Request declined.")).toBeVisible();

      await open(page, path);
      await expect(page.getByText("“Ask for one table at a time.”")).toBeVisible();
      const changes = page.getByRole("table", { name: "What an owner has changed" });
      await expect(changes.getByRole("row", { name: /^Scopes/ })).toContainText("full access");
      await expect(changes.getByRole("row", { name: /^Expires/ })).toContainText("Never");
      await page.getByRole("link", { name: "Ask again" }).click();
      await expect(page.getByRole("heading", { level: 1, name: "Ask for a key" })).toBeVisible();
      await alive(page);
      await expect(page.getByRole("textbox", { name: "Name", exact: true })).toHaveValue("Everything");
      await expect(page.getByRole("textbox", { name: "Purpose" })).toHaveValue("A copy of all data.");
      await expect(page.getByRole("radio", { name: /^Full access/ })).toBeChecked();
      await expect(page.getByLabel("Expires")).toHaveValue("never");
      await owner.context().close();
    });
  });
}
