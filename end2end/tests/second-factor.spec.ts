// A second factor and the list of sessions, as someone uses them.

import type { Page } from "@playwright/test";

import { code, setUp } from "../fixture/authenticator.ts";
import { expect, hydrated, open, PASSWORD, signIn, test } from "../fixture/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    const arrive = async (page: Page) => {
      if (javaScriptEnabled) await hydrated(page);
    };
    const visit = async (page: Page, path: string) => {
      await page.goto(path);
      await arrive(page);
    };

    test("someone sets up a second factor, and signs in with a code and with a recovery code", async ({ page, team, watch, signInAs }) => {
      await signInAs("owner");
      await page.goto("/account");
      await page.getByRole("link", { name: "Set up" }).click();
      const { secret, recoveryCodes } = await setUp(page, javaScriptEnabled);
      expect(recoveryCodes).toHaveLength(10);
      await page.getByRole("checkbox", { name: "I have stored them" }).check();
      await page.getByRole("button", { name: "Done" }).click();
      await expect(page.getByText("10 left")).toBeVisible();
      expect(await page.content()).not.toContain(recoveryCodes[0]);

      const enterPassword = async () => {
        await page.context().clearCookies();
        await page.goto(team.path("keys"));
        await arrive(page);
        await page.getByLabel("E-mail").fill(team.email("owner"));
        await page.getByLabel("Password").fill(PASSWORD);
        await page.getByRole("button", { name: "Sign in" }).click();
        await expect(page.getByRole("heading", { name: "Enter a code" })).toBeVisible();
        await arrive(page);
      };
      await enterPassword();
      watch.expect(422, "/sign-in");
      await page.getByLabel("Code", { exact: true }).fill("000000");
      await page.getByRole("button", { name: "Sign in" }).click();
      await expect(page.getByText("This code is incorrect or was already used.")).toBeVisible();
      await arrive(page);
      await page.getByLabel("Code", { exact: true }).fill(code(secret, 1));
      // Each code works once, also for someone who clicks twice.
      await page.getByRole("button", { name: "Sign in" }).dblclick();
      await expect(page).toHaveURL(team.path("keys"));

      await enterPassword();
      await page.getByText("Use a recovery code instead").click();
      await page.getByLabel("Recovery code").fill(recoveryCodes[0]?.toUpperCase() ?? "");
      await page.getByRole("button", { name: "Sign in" }).click();
      await expect(page).toHaveURL(team.path("keys"));
      await visit(page, "/account/two-factor");
      await expect(page.getByText("9 left", { exact: true })).toBeVisible();

      await page.getByRole("link", { name: "Create new recovery codes" }).click();
      await arrive(page);
      await page.getByLabel("Your password").fill(PASSWORD);
      await page.getByText("Use a recovery code instead").click();
      await page.getByRole("textbox", { name: "Recovery code" }).fill(recoveryCodes[1] ?? "");
      await page.getByRole("button", { name: "Create new recovery codes" }).click();
      await page.getByRole("heading", { name: "Store them now. They will not be shown again." }).waitFor();
      await arrive(page);
      const renewed = ((await page.locator("#key").textContent()) ?? "").split("\n");
      await page.getByRole("checkbox", { name: "I have stored them" }).check();
      await page.getByRole("button", { name: "Done" }).click();
      await expect(page.getByText("10 left")).toBeVisible();
      await arrive(page);

      await page.getByRole("link", { name: "Turn off" }).click();
      await arrive(page);
      await page.getByLabel("Your password").fill(PASSWORD);
      await page.getByText("Use a recovery code instead").click();
      await page.getByLabel("Recovery code").fill(renewed[0] ?? "");
      await page.getByRole("button", { name: "Turn off" }).click();
      await expect(page.getByText("Second factor turned off.")).toBeVisible();
    });

    test("sessions that were started without a code end when the second factor is turned on", async ({ page, browser, team, server, watch, signInAs }) => {
      const elsewhere = await browser.newContext({ baseURL: server.url, javaScriptEnabled });
      watch.on(elsewhere);
      await signIn(elsewhere, server, team.email("owner"));
      await signInAs("owner");
      await page.goto("/account/two-factor");
      await setUp(page, javaScriptEnabled);
      await expect(page.getByText("Your other sessions were ended, since they were started without a code.")).toBeVisible();
      const other = await elsewhere.newPage();
      await other.goto("/account");
      await expect(other).toHaveURL(/\/sign-in\?next=/);
      await elsewhere.close();
    });

    test("another session is ended, and is out at once", async ({ page, browser, team, server, watch, signInAs }) => {
      const elsewhere = await browser.newContext({ baseURL: server.url, javaScriptEnabled });
      watch.on(elsewhere);
      await signIn(elsewhere, server, team.email("member"));
      const other = await elsewhere.newPage();
      await visit(other, "/account");
      await signInAs("member");
      await visit(page, "/account");
      await page.getByRole("link", { name: "All sessions" }).click();
      await arrive(page);
      await expect(page.getByRole("row")).toHaveCount(3);
      await expect(page.getByRole("row", { name: /This session/ })).toContainText("Chrome on Windows");
      await page.getByRole("button", { name: /^End session of/ }).click();
      await expect(page.getByText("Session ended.")).toBeVisible();
      await expect(page.getByRole("row")).toHaveCount(2);
      await other.goto("/account");
      await expect(other).toHaveURL(/\/sign-in\?next=/);
      await elsewhere.close();
    });
  });
}

test("an organization requires a second factor, and leads a member to set one up", async ({ page, browser, team, server, watch, signInAs }) => {
  await signInAs("owner");
  await setUp(page, true);
  await page.getByRole("checkbox", { name: "I have stored them" }).check();
  await open(page, team.path("settings"));
  await page.getByRole("main").getByRole("link", { name: "Security" }).click();
  await hydrated(page);
  await page.getByRole("radio", { name: /^Required/ }).check();
  await page.getByRole("radio", { name: /^Disable keys/ }).check();
  await page.getByLabel("Your password").fill(PASSWORD);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();

  const elsewhere = await browser.newContext({ baseURL: server.url });
  watch.on(elsewhere);
  await signIn(elsewhere, server, team.email("admin"));
  const admin = await elsewhere.newPage();
  await open(admin, team.path("keys"));
  await expect(admin).toHaveURL(new RegExp(`/account/two-factor\\?org=${team.slug}&next=`));
  await expect(admin.getByText("Northwind Assist requires a second factor.")).toBeVisible();
  await setUp(admin, true);
  await admin.getByRole("checkbox", { name: "I have stored them" }).check();
  await admin.getByRole("button", { name: "Continue" }).click();
  await expect(admin).toHaveURL(team.path("keys"));
  await elsewhere.close();

  await open(page, team.path("members"));
  await expect(page.getByRole("row", { name: /Some admin/ })).toContainText("On");
  await expect(page.getByRole("row", { name: /Some member/ })).toContainText("Off");
});

test("the browser keeps no code over a sign-in, and no field but those that are listed", async ({ page, signInAs }) => {
  await signInAs("owner");
  await page.goto("/account/two-factor");
  const { recoveryCodes } = await setUp(page, true);
  await page.getByRole("checkbox", { name: "I have stored them" }).check();
  await open(page, "/account/two-factor?off=1");
  await page.getByLabel("Your password").fill(PASSWORD);
  await page.getByLabel("Code", { exact: true }).fill("123456");
  await page.getByText("Use a recovery code instead").click();
  await page.getByLabel("Recovery code").fill(recoveryCodes[0] ?? "");
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Turn off" }).click();
  await expect(page.getByText("Your session has ended, so this form was not saved.")).toBeVisible();
  await hydrated(page);
  const kept = await page.evaluate(() => sessionStorage.getItem("latchkey-form") ?? "");
  expect(JSON.parse(kept)).toMatchObject({ page: "/account/two-factor", fields: [] });
});

test("making an owner takes the password", async ({ page, team, watch, signInAs }) => {
  await signInAs("owner");
  await open(page, team.path("members"));
  await page.getByRole("link", { name: "Change role Some admin" }).click();
  await hydrated(page);
  await expect(page.getByLabel("Your password")).toBeHidden();
  await page.getByRole("radio", { name: /^Owner/ }).check();
  watch.expect(422, team.path("members"));
  await page.getByRole("button", { name: "Change role" }).click();
  await expect(page.getByText("Enter your password.", { exact: true })).toBeVisible();
  await hydrated(page);
  await page.getByLabel("Your password").fill(PASSWORD);
  await page.getByRole("button", { name: "Change role" }).click();
  await expect(page.getByText("Role of “Some admin” changed.")).toBeVisible();
});
