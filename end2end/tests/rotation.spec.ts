// Rotating a key without leaving its page: where Back and Reload lead, and that the secret does not remain in the page.

import type { Page } from "@playwright/test";

import { expect, open, test } from "../fixture/test.ts";

const API = "/api/keys/rotate";

test.use({ permissions: ["clipboard-read", "clipboard-write"] });

const press = (page: Page) => page.getByRole("button", { name: "Rotate key" }).click();
const shown = (page: Page) => page.getByRole("heading", { level: 1, name: "Production has a new secret" });
const ofKey = (page: Page) => page.getByRole("heading", { level: 1, name: /^Production( Active)?( Rotating until .*)?$/ });

/** The content of the page and its storage. */
const held = (page: Page) =>
  page.evaluate(() => [document.documentElement.outerHTML, location.href, JSON.stringify(history.state), JSON.stringify({ ...localStorage, ...sessionStorage })].join("\n"));

test("the new secret is shown in place, and Back and reloading lead to the key's page", async ({ page, team, server, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await signInAs("owner");
  await open(page, team.path("keys"));
  await page.getByRole("link", { name: "Production" }).click();
  await page.getByRole("link", { name: "Rotate…" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Rotate Production" })).toBeVisible();
  await page.waitForFunction(() => performance.getEntriesByName("hydrated").length > 0);
  await page.evaluate(() => Object.assign(window, { same: true }));
  await page.getByText("End it immediately").click();
  await press(page);
  await expect(shown(page)).toBeVisible();
  expect(await page.evaluate(() => "same" in window), "the same document").toBe(true);
  await expect(page).toHaveTitle("Production has a new secret · Northwind Assist · Latchkey");
  await expect(page.locator(".toasts")).toContainText("Production has a new secret.");
  await expect(page).toHaveURL(team.path(`keys/${key.id}`));
  const secret = await page.locator(".secret code").innerText();
  expect(await server.verify(secret)).toMatchObject({ valid: true });
  expect(await server.verify(key.key)).toMatchObject({ valid: false });

  await page.getByRole("button", { name: "Copy key" }).click();
  await expect(page.getByRole("button", { name: "Key copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  await page.getByText("curl", { exact: true }).click();
  await expect(page.locator("pre", { hasText: secret }).filter({ visible: true })).toHaveCount(1);

  await page.reload();
  await expect(ofKey(page)).toBeVisible();
  expect(await held(page)).not.toContain(secret);
  await page.goBack();
  await expect(ofKey(page)).toBeVisible();
  expect(await held(page)).not.toContain(secret);
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1, name: "Keys" })).toBeVisible();
});

test("Back leads to the key's page, and Forward shows no secret", async ({ page, team, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await signInAs("owner");
  await page.goto(team.path(`keys/${key.id}`));
  await open(page, team.path(`keys/${key.id}/rotate`));
  await press(page);
  await expect(shown(page)).toBeVisible();
  const secret = await page.locator(".secret code").innerText();
  await page.goBack();
  await expect(ofKey(page)).toBeVisible();
  await page.goForward();
  await expect(ofKey(page)).toBeVisible();
  expect(await held(page)).not.toContain(secret);
  await expect(page.getByRole("region", { name: "Secrets" })).toContainText("Old secret");
});

test("a page that the browser keeps is kept without the secret, and loaded anew", async ({ page, team, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await signInAs("owner");
  await open(page, team.path(`keys/${key.id}/rotate`));
  await press(page);
  await expect(shown(page)).toBeVisible();
  const secret = await page.locator(".secret code").innerText();
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
  expect(await held(page)).not.toContain(secret);
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await expect(ofKey(page)).toBeVisible();
});

test("an answer that got lost is shown when the form is sent again", async ({ page, team, server, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await signInAs("owner");
  await open(page, team.path(`keys/${key.id}/rotate`));
  await page.route(`**${API}`, async (route) => {
    await route.fetch();
    await route.abort("aborted");
  }, { times: 1 });
  await press(page);
  await expect(page.locator(".toasts").getByText("Check your connection and try again.")).toBeVisible();
  await press(page);
  await expect(shown(page)).toBeVisible();
  expect(await server.verify(await page.locator(".secret code").innerText())).toMatchObject({ valid: true });
  await page.getByLabel("I have stored it").check();
  await page.getByRole("button", { name: "Done" }).click();
  await expect(ofKey(page)).toBeVisible();
});

test("a form that was answered before, in another session, leads to the key's page", async ({ page, context, team, server, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await signInAs("owner");
  await open(page, team.path(`keys/${key.id}/rotate`));
  const form = { overlap: "86400", rotation_token: await page.locator("[name=rotation_token]").inputValue() };
  await context.request.post(`${server.url}${team.path(`keys/${key.id}/rotate`)}`, { form, headers: { origin: server.url } });
  await context.request.get(`${server.url}${team.path(`keys/${key.id}`)}`);
  await press(page);
  await expect(page.getByText("The secret was shown then and cannot be shown again.")).toBeVisible();
});

test("what is rejected is explained above the form, and a second press while one is under way does nothing", async ({ page, team, server, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await signInAs("owner");
  const one = await page.context().newPage();
  await open(one, team.path(`keys/${key.id}/rotate`));
  await open(page, team.path(`keys/${key.id}/rotate`));
  let calls = 0;
  await one.route(`**${API}`, (route) => {
    calls += 1;
    return route.continue();
  });
  await one.getByRole("button", { name: "Rotate key" }).dblclick();
  await expect(shown(one)).toBeVisible();
  expect(calls).toBe(1);
  expect(await server.verify(await one.locator(".secret code").innerText())).toMatchObject({ valid: true });
  await press(page);
  await expect(page.getByRole("alert")).toContainText("A rotation is already in progress");
  await expect(page.getByRole("alert")).toBeFocused();
  expect(await server.verify(key.key)).toMatchObject({ valid: true });
  await one.close();
});
