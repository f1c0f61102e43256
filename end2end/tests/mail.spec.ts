// What people do with the links in their mail: a new password, an invitation, another address, an account.

import type { Browser, Page } from "@playwright/test";

import { Instance, type Server } from "../fixture/server.ts";
import { MailServer } from "../fixture/smtp.ts";
import { Team } from "../fixture/team.ts";
import { expect, hydrated, PASSWORD, test } from "../fixture/test.ts";
import type { Watch } from "../fixture/watch.ts";

const NEW_PASSWORD = "marmalade on a tuesday";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    /** Opens a page of a server that sends mail. */
    const opener = (server: Server) => async (page: Page, path: string) => {
      await page.goto(`${server.url}${path}`);
      if (javaScriptEnabled) await hydrated(page);
    };

    /** Runs a test on a server that sends mail and lets everyone sign up. */
    async function withMail(browser: Browser, watch: Watch, run: (page: Page, server: Server, mail: MailServer, team: Team) => Promise<void>): Promise<void> {
      const mail = await MailServer.start();
      const instance = (await Instance.create()).with({ ...mail.settings, LATCHKEY_SIGN_UP: "open" });
      try {
        const team = await Team.create(instance);
        const server = await instance.serve();
        const context = await browser.newContext({ javaScriptEnabled });
        watch.on(context);
        await run(await context.newPage(), server, mail, team);
        await context.close();
        await server.stop();
      } finally {
        mail.stop();
        await instance.remove();
      }
    }

    const signIn = async (page: Page, email: string, password: string) => {
      await page.getByLabel("E-mail").fill(email);
      await page.getByLabel("Password").fill(password);
      await page.getByRole("button", { name: "Sign in" }).click();
    };

    test("a forgotten password is replaced with a link", async ({ browser, watch }) => {
      await withMail(browser, watch, async (page, server, mail, team) => {
        const open = opener(server);
        await open(page, "/sign-in");
        await page.getByRole("link", { name: "Forgot your password?" }).click();
        if (javaScriptEnabled) await hydrated(page);
        await page.getByLabel("E-mail").fill(team.email("owner"));
        await page.getByRole("button", { name: "Send link" }).click();
        await expect(page.getByRole("heading", { name: "Check your mail" })).toBeVisible();

        const link = await mail.linkTo("reset-password", team.email("owner"));
        await open(page, link);
        expect(await page.content()).not.toContain(link);
        await page.getByLabel("New password").fill(NEW_PASSWORD);
        await page.getByRole("button", { name: "Change password" }).click();
        await expect(page.getByText("Password changed. Sign in with the new one.")).toBeVisible();
        if (javaScriptEnabled) {
          await hydrated(page);
          expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).not.toContain(link);
        }
        await signIn(page, team.email("owner"), NEW_PASSWORD);
        await expect(page).toHaveURL(`${server.url}${team.path("keys")}`);
        watch.expect(410, link);
        await page.goto(`${server.url}${link}`);
        await expect(page.getByRole("heading", { name: "No longer valid" })).toBeVisible();
      });
    });

    test("someone is invited by mail, joins and takes another address", async ({ browser, watch }) => {
      await withMail(browser, watch, async (page, server, mail, team) => {
        const open = opener(server);
        await open(page, "/sign-in");
        await signIn(page, team.email("owner"), PASSWORD);
        await expect(page).toHaveURL(`${server.url}${team.path("keys")}`);
        await open(page, `${team.path("members")}?invite=1`);
        await page.getByLabel("E-mail").fill("newcomer@example.com");
        await page.getByRole("button", { name: "Send invitation" }).click();
        await expect(page.getByText("Invitation sent.")).toBeVisible();
        await expect(page.getByRole("button", { name: "Resend for newcomer@example.com" })).toBeVisible();

        await page.context().clearCookies();
        await open(page, await mail.linkTo("invitations", "newcomer@example.com"));
        await page.getByLabel("Your name").fill("New Comer");
        await page.getByLabel("Password").fill(PASSWORD);
        await page.getByRole("button", { name: "Join" }).click();
        await expect(page).toHaveURL(`${server.url}${team.path("keys")}`);

        await open(page, "/account");
        await page.getByRole("link", { name: "Edit profile" }).click();
        if (javaScriptEnabled) await hydrated(page);
        await page.getByLabel("Your name").fill("Newt Comer");
        await page.getByRole("button", { name: "Change name" }).click();
        await expect(page.getByText("Name changed.")).toBeVisible();
        await open(page, "/account/profile");
        await page.getByLabel("New e-mail address").fill("newt@example.com");
        await page.getByLabel("Current password").fill(PASSWORD);
        await page.getByRole("button", { name: "Send link" }).click();
        await expect(page.getByText("Check your mail.")).toBeVisible();
        await open(page, await mail.linkTo("confirm-email", "newt@example.com"));
        await page.getByRole("button", { name: "Confirm address" }).click();
        await expect(page.getByText("E-mail address confirmed.")).toBeVisible();
        await expect(page.getByRole("definition").filter({ hasText: "newt@example.com" })).toBeVisible();
      });
    });

    test("someone new signs up with a link", async ({ browser, watch }) => {
      await withMail(browser, watch, async (page, server, mail) => {
        const open = opener(server);
        await open(page, "/sign-up");
        await page.getByLabel("E-mail").fill("founder@example.com");
        await page.getByRole("button", { name: "Send link" }).click();
        await expect(page.getByRole("heading", { name: "Check your mail" })).toBeVisible();
        await open(page, await mail.linkTo("sign-up", "founder@example.com"));
        await page.getByLabel("Your name").fill("Founder");
        await page.getByLabel("Organization").fill("Fabrikam");
        await page.getByLabel("Password").fill(PASSWORD);
        await page.getByRole("button", { name: "Create account" }).click();
        await expect(page).toHaveURL(`${server.url}/orgs/fabrikam/keys`);
      });
    });
  });
}
