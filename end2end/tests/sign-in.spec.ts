// Sessions: signing in and out, returning to the requested page, and ending sessions with a new password.

import { expect, hydrated, open, PASSWORD, signIn, test } from "../fixture/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("signing in leads to the page that was asked for, and signing out away from it", async ({ page, team }) => {
      await page.goto(`${team.path("keys")}?status=active`);
      await expect(page).toHaveURL(/\/sign-in\?next=/);
      if (javaScriptEnabled) await hydrated(page);
      await page.getByLabel("E-mail").fill(team.email("owner"));
      await page.getByLabel("Password").fill(PASSWORD);
      await page.getByRole("button", { name: "Sign in" }).click();
      await expect(page).toHaveURL(`${team.path("keys")}?status=active`);

      await page.getByText(team.email("owner")).click();
      await page.getByRole("button", { name: "Sign out" }).click();
      await expect(page).toHaveURL("/sign-in");
      await page.goto(team.path("keys"));
      await expect(page).toHaveURL(/\/sign-in\?next=/);
    });

    test("a wrong password and an unknown address get the same answer", async ({ page, team, watch }) => {
      const say = "The e-mail address or password is incorrect.";
      for (const email of [team.email("owner"), "nobody@nowhere.example"]) {
        await page.goto("/sign-in");
        if (javaScriptEnabled) await hydrated(page);
        await page.getByLabel("E-mail").fill(email);
        await page.getByLabel("Password").fill("not the password");
        watch.expect(422, "/sign-in");
        await page.getByRole("button", { name: "Sign in" }).click();
        await expect(page.getByRole("alert")).toContainText(say);
        await expect(page).not.toHaveURL(/password|not%20the/);
      }
    });

    test("a double click changes the password once, and the user stays signed in", async ({ page, signInAs }) => {
      await signInAs("member");
      await page.goto("/account");
      if (javaScriptEnabled) await hydrated(page);
      await page.getByLabel("Current password").fill(PASSWORD);
      await page.getByLabel("New password").fill("a whole new teapot");
      await page.getByRole("button", { name: "Change password" }).dblclick();
      await expect(page.getByText("Password changed.")).toBeVisible();
      await page.goto("/account/sessions");
      await expect(page.getByRole("heading", { name: "Sessions" })).toBeVisible();
    });
  });
}

test("the first field has the focus, and a password can be shown until it is sent", async ({ page, team, watch }) => {
  await open(page, "/sign-in");
  await expect(page.getByLabel("E-mail")).toBeFocused();
  await page.keyboard.type(team.email("owner"));
  await page.keyboard.press("Tab");
  await page.keyboard.type("not the password");
  const show = page.getByRole("button", { name: "Show password" });
  await expect(show).toHaveAttribute("aria-pressed", "false");
  await show.click();
  await expect(show).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByLabel("Password")).toHaveAttribute("type", "text");
  watch.expect(422, "/sign-in");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(page.getByLabel("Password")).toHaveAttribute("type", "password");
  expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).not.toContain("not the password");
});

test("what was entered is there again after the session had ended", async ({ page, team, signInAs }) => {
  await signInAs("owner");
  await open(page, team.path("agents/new"));
  const name = page.getByRole("textbox", { name: "Name", exact: true });
  await name.fill("Support assistant");
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Create agent" }).click();
  await expect(page.getByText("Your session has ended, so this form was not saved.")).toBeVisible();
  await hydrated(page);
  await page.getByLabel("E-mail").fill(team.email("owner"));
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("What you entered is back. Submit the form again.")).toBeVisible();
  await expect(name).toHaveValue("Support assistant");
  await page.getByRole("button", { name: "Create agent" }).click();
  await expect(page.getByRole("heading", { name: "Support assistant" })).toBeVisible();
});

test("next leads to no other site", async ({ page, team }) => {
  for (const next of ["//example.com/", "https://example.com/", "/\\example.com"]) {
    await page.context().clearCookies();
    await open(page, `/sign-in?next=${encodeURIComponent(next)}`);
    await page.getByLabel("E-mail").fill(team.email("member"));
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(team.path("keys"));
  }
});

test("a new password ends the other sessions and replaces the old one", async ({ page, browser, team, server, watch, signInAs }) => {
  const elsewhere = await browser.newContext({ baseURL: server.url });
  watch.on(elsewhere);
  await signIn(elsewhere, server, team.email("member"));
  const other = await elsewhere.newPage();
  await open(other, "/account");

  await signInAs("member");
  await open(page, "/account");
  await page.getByLabel("Current password").fill("not the password");
  await page.getByLabel("New password").fill("a whole new teapot");
  watch.expect(422, "/account");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("The current password is incorrect.")).toBeVisible();
  await page.getByLabel("Current password").fill(PASSWORD);
  await page.getByLabel("New password").fill("a whole new teapot");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("Password changed.")).toBeVisible();

  await page.reload();
  await expect(page.getByRole("heading", { name: "Account" })).toBeVisible();
  await other.reload();
  await expect(other).toHaveURL(/\/sign-in/);
  await expect(signIn(elsewhere, server, team.email("member"))).rejects.toThrow();
  await elsewhere.close();
});

test("sign-up is closed once someone has an account", async ({ page, team }) => {
  expect(team.email("owner"), "has an account").toContain("@");
  await open(page, "/sign-up");
  await expect(page.getByRole("heading", { name: "Sign-up is closed" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Create account" })).toHaveCount(0);
});
