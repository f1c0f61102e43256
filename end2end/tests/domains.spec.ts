// Editing the domains of a widget key without leaving its page.

import type { Page } from "@playwright/test";

import { expect, open, test } from "../fixture/test.ts";

const DOMAINS = ["one.example", "two.example", "three.example"];
const API = "/api/domains/edit";

const domains = (page: Page) => page.getByRole("list", { name: /Allowed domains/ }).locator("li > code");
const remove = (page: Page, domain: string) => page.getByRole("button", { name: `Remove ${domain}`, exact: true });
const shown = (page: Page, text: string) => page.locator(".toasts").getByText(text);

test("domains are added, removed and brought back, and the page stays", async ({ page, team, server, signInAs }) => {
  const key = await team.key({ name: "Website", kind: "widget", domains: DOMAINS });
  const decides = async (origin: string) => ((await server.verify(key.key, { origin })) as { code: string }).code;
  await signInAs("owner");
  await open(page, team.path(`keys/${key.id}`));
  await page.evaluate(() => Object.assign(window, { same: true }));

  const field = page.getByLabel("Add domains");
  await field.fill("Four.example, https://five.example");
  await field.press("Enter");
  await expect(domains(page)).toHaveText([...DOMAINS, "four.example", "https://five.example"]);
  await expect(shown(page, "2 domains added.")).toBeVisible();
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("");
  await expect(page.getByText(/^In effect everywhere/)).toBeVisible();
  expect(await decides("https://four.example")).toBe("VALID");
  await page.getByLabel("Test an origin").fill("https://four.example");
  await expect(page.getByText("is allowed by four.example")).toBeVisible();

  await page.getByRole("button", { name: "Undo" }).click();
  await expect(domains(page)).toHaveText(DOMAINS);
  await expect(page.getByRole("button", { name: "Undo" })).toHaveCount(0);
  await expect(page.getByText("it matches no allowed domain")).toBeVisible();
  expect(await decides("https://four.example")).toBe("ORIGIN_NOT_ALLOWED");

  await remove(page, "two.example").click();
  await expect(domains(page)).toHaveText(["one.example", "three.example"]);
  await expect(shown(page, "two.example removed.")).toBeVisible();
  expect(await decides("https://two.example")).toBe("ORIGIN_NOT_ALLOWED");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(domains(page)).toHaveText(DOMAINS);
  await expect(shown(page, "two.example added again.")).toBeVisible();
  await expect(remove(page, "two.example")).toBeFocused();
  expect(await decides("https://two.example")).toBe("VALID");
  expect(await page.evaluate(() => "same" in window), "the same document").toBe(true);
});

test("the keyboard goes on where a domain was removed", async ({ page, team, signInAs }) => {
  const key = await team.key({ name: "Website", kind: "widget", domains: DOMAINS });
  await signInAs("owner");
  await open(page, team.path(`keys/${key.id}`));
  await remove(page, "one.example").focus();
  const answered = page.waitForResponse((response) => response.url().endsWith(API));
  await page.keyboard.press("Enter");
  await answered;
  await expect(domains(page)).toHaveText(["two.example", "three.example"]);
  await expect(remove(page, "two.example")).toBeFocused();
  await remove(page, "three.example").focus();
  await page.keyboard.press("Enter");
  await expect(domains(page)).toHaveText(["two.example"]);
  await expect(remove(page, "two.example")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert").getByText(/^A widget key needs at least one domain/)).toBeVisible();
  await expect(domains(page)).toHaveText(["two.example"]);
  await expect(remove(page, "two.example")).toBeFocused();
});

test("what is rejected is explained at the field, and gone with the next change", async ({ page, team, signInAs }) => {
  const key = await team.key({ name: "Website", kind: "widget", domains: DOMAINS });
  await signInAs("owner");
  await open(page, team.path(`keys/${key.id}`));
  const field = page.getByLabel("Add domains");
  await field.fill("co.uk");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expect(field).toHaveAccessibleDescription(/Anyone can have a site under/);
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("co.uk");
  await field.fill("four.example");
  await field.press("Enter");
  await expect(domains(page)).toHaveText([...DOMAINS, "four.example"]);
  await expect(field).not.toHaveAttribute("aria-invalid");
});

test("localhost is blocked, and the block undone", async ({ page, team, server, signInAs }) => {
  const key = await team.key({ name: "Website", kind: "widget", domains: DOMAINS });
  const origin = "http://localhost:8080";
  await signInAs("owner");
  await open(page, team.path(`keys/${key.id}`));
  await page.getByRole("button", { name: "Block localhost" }).click();
  await expect(page.getByText("Pages on localhost are blocked.")).toBeVisible();
  expect(await server.verify(key.key, { origin })).toMatchObject({ code: "ORIGIN_NOT_ALLOWED" });
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("button", { name: "Block localhost" })).toBeVisible();
  expect(await server.verify(key.key, { origin })).toMatchObject({ valid: true });
});

test("a call that fails changes nothing and says what to do", async ({ page, context, team, watch, signInAs }) => {
  const key = await team.key({ name: "Website", kind: "widget", domains: DOMAINS });
  await signInAs("owner");
  await open(page, team.path(`keys/${key.id}`));
  await page.route(`**${API}`, (route) => route.abort("aborted"), { times: 1 });
  await remove(page, "two.example").click();
  await expect(shown(page, "Check your connection and try again.")).toBeVisible();
  await page.getByRole("button", { name: "Dismiss" }).click();
  await expect(page.getByRole("button", { name: "Dismiss" })).toHaveCount(0);

  await page.route(`**${API}`, (route) => route.fulfill({ status: 503, json: { busy: { retry_after: 5 } } }), { times: 1 });
  watch.expect(503, API);
  await remove(page, "two.example").click();
  await expect(shown(page, "Try again in 5 seconds.")).toBeVisible();

  // The first steps ask now and then, and are to meet no ended session.
  await page.route("**/api/first-steps", () => {});
  await context.clearCookies();
  watch.expect(401, API);
  await remove(page, "two.example").click();
  await expect(shown(page, "You are signed out.")).toBeVisible();
  await expect(domains(page)).toHaveText(DOMAINS);
  await page.locator(".toasts").getByRole("link", { name: "Sign in" }).click();
  await expect(page).toHaveURL(`/sign-in?next=${team.path(`keys/${key.id}`)}`);
});

test("nothing moves while a change is under way, and a second press does nothing", async ({ page, team, signInAs }) => {
  const key = await team.key({ name: "Website", kind: "widget", domains: DOMAINS });
  await signInAs("owner");
  await open(page, team.path(`keys/${key.id}`));
  let calls = 0;
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route(`**${API}`, async (route) => {
    calls += 1;
    await held;
    await route.continue();
  });
  const card = page.locator("section", { has: page.locator("#domains") });
  const button = page.getByRole("button", { name: "Add", exact: true });
  await page.getByLabel("Add domains").fill("four.example");
  await button.scrollIntoViewIfNeeded();
  const before = [await button.boundingBox(), await card.boundingBox()];
  await button.click();
  await expect(button).toHaveAttribute("aria-busy", "true");
  expect([await button.boundingBox(), await card.boundingBox()]).toEqual(before);
  await button.click();
  await remove(page, "one.example").click();
  letGo();
  await expect(domains(page)).toHaveText([...DOMAINS, "four.example"]);
  await expect(button).not.toHaveAttribute("aria-busy");
  expect(calls).toBe(1);
});

test("an admin sees the domains and no way to change them", async ({ page, team, signInAs }) => {
  const key = await team.key({ name: "Website", kind: "widget", domains: DOMAINS });
  await signInAs("admin");
  await open(page, team.path(`keys/${key.id}`));
  await expect(domains(page)).toHaveText(DOMAINS);
  await page.getByLabel("Test an origin").fill("https://two.example");
  await expect(page.getByText("is allowed by two.example")).toBeVisible();
  await expect(page.getByRole("button", { name: /^Remove / })).toHaveCount(0);
  await expect(page.getByLabel("Add domains")).toHaveCount(0);
});
