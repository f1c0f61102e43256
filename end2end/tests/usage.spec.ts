// Changing the range of the usage page without leaving it, and the URL of each range.

import type { Page } from "@playwright/test";

import { expect, hydrated, open, test } from "../fixture/test.ts";

const API = "/api/usage";

const range = (page: Page, name: string) => page.getByRole("group", { name: "Range" }).getByRole("link", { name, exact: true });
const chart = (page: Page, step: string) => page.getByRole("img", { name: `Requests by outcome, per ${step}` });

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("another range is shown, and Back, Forward and reloading keep to it", async ({ page, team, server, signInAs }) => {
      const key = await team.key({ name: "Production" });
      await server.verify(key.key);
      await signInAs("owner");
      await expect(async () => {
        await page.goto(team.path("usage"));
        await expect(chart(page, "day")).toBeVisible({ timeout: 100 });
      }).toPass();
      if (javaScriptEnabled) await hydrated(page);
      await expect(range(page, "30 days")).toHaveAttribute("aria-current", "true");
      if (javaScriptEnabled) await page.evaluate(() => Object.assign(window, { same: true }));

      await range(page, "24 h").click();
      await expect(chart(page, "hour")).toBeVisible();
      await expect(page).toHaveURL(team.path("usage?range=24h"));
      await expect(range(page, "24 h")).toHaveAttribute("aria-current", "true");
      await expect(range(page, "30 days")).not.toHaveAttribute("aria-current");
      await range(page, "12 months").click();
      await expect(chart(page, "month")).toBeVisible();
      await expect(page.getByText("No earlier data to compare").first()).toBeVisible();
      await expect(page.getByRole("row", { name: /Production/ })).toContainText("1");

      await page.goBack();
      await expect(page).toHaveURL(team.path("usage?range=24h"));
      await expect(chart(page, "hour")).toBeVisible();
      await page.goBack();
      await expect(page).toHaveURL(team.path("usage"));
      await expect(chart(page, "day")).toBeVisible();
      await page.goForward();
      await expect(chart(page, "hour")).toBeVisible();
      if (javaScriptEnabled) expect(await page.evaluate(() => "same" in window), "the same document").toBe(true);
      await page.reload();
      await expect(chart(page, "hour")).toBeVisible();
      await page.getByRole("link", { name: "Production" }).click();
      await expect(page.getByRole("heading", { level: 1, name: "Production" })).toBeVisible();
      await page.goBack();
      await expect(chart(page, "hour")).toBeVisible();
    });
  });
}

test("screen readers announce the range, and nothing moves while it is on its way", async ({ page, team, server, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await server.verify(key.key);
  await signInAs("member");
  await expect(async () => {
    await open(page, team.path("usage?range=30d"));
    await expect(chart(page, "day")).toBeVisible({ timeout: 100 });
  }).toPass();
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route(`**${API}`, async (route) => {
    await held;
    await route.continue();
  });
  const report = page.locator("#usage");
  await page.getByText("Show as a table").click();
  const before = await report.boundingBox();
  await range(page, "7 days").focus();
  await page.keyboard.press("Enter");
  await expect(report).toHaveAttribute("aria-busy", "true");
  await expect(range(page, "7 days")).toHaveAttribute("aria-current", "true");
  expect(await report.boundingBox()).toEqual(before);
  letGo();
  await expect(report).toHaveAttribute("aria-busy", "false");
  await expect(page.getByRole("status").filter({ hasText: /^\w+ \d+.* – .*\d: 1 request\.$/ })).toHaveCount(1);
  await expect(range(page, "7 days")).toBeFocused();
  // The open table stays open.
  await expect(report.locator("details tbody tr")).toHaveCount(7);
  await expect(report.locator("details tbody tr").first()).toBeVisible();
});

test("the chart is read by pointer and keyboard, and a part of it is selected", async ({ page, team, server, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await server.verify(key.key);
  await signInAs("owner");
  await expect(async () => {
    await open(page, team.path("usage?range=7d"));
    await expect(chart(page, "day")).toBeVisible({ timeout: 100 });
  }).toPass();
  const readout = page.locator(".readout");
  await page.locator(".hit").last().hover();
  await expect(readout).toHaveText(/ so far: 1 passed, 0 rate limited, 0 rejected$/);
  const slider = page.getByRole("slider", { name: "Step" });
  await slider.focus();
  await page.keyboard.press("Home");
  await expect(slider).toHaveAttribute("aria-valuetext", /: 0 passed, /);
  await expect(readout).toHaveText(/: 0 passed, /);

  await page.locator(".hit").nth(4).hover();
  await page.mouse.down();
  await page.locator(".hit").nth(6).hover();
  await page.mouse.up();
  await expect(page).toHaveURL(/from=.*&to=/);
  await expect(chart(page, "hour")).toBeVisible();
  // Two days and the hours of today that have begun, and whole days as days in the form.
  const hours = await page.locator(".hit").count();
  expect(hours).toBeGreaterThan(48);
  expect(hours).toBeLessThanOrEqual(72);
  await expect(page.locator(".hit").last()).toContainText(" so far: ");
  await expect(page.getByLabel("First day")).toHaveValue(/^\d{4}-\d\d-\d\d$/);
  await expect(page.getByLabel("Last day")).toHaveValue(/^\d{4}-\d\d-\d\d$/);

  // A part of a day has its times.
  await page.locator(".hit").nth(hours - 3).hover();
  await page.mouse.down();
  await page.locator(".hit").last().hover();
  await page.mouse.up();
  await expect(page.getByLabel("Start")).toHaveValue(/^\d{4}-\d\d-\d\dT\d\d:00$/);
  await expect(page.getByLabel("End")).toHaveValue(/^\d{4}-\d\d-\d\dT\d\d:00$/);
  await expect(chart(page, "minute")).toBeVisible();
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(/from=\d{4}-\d\d-\d\dT\d\d%3A00&to=/);
  await expect(chart(page, "minute")).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "Updates by itself" })).toBeVisible();
  await page.goBack();
  await page.goBack();
  await page.goBack();
  await expect(page).toHaveURL(team.path("usage?range=7d"));
  await expect(page.locator(".hit")).toHaveCount(7);
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "filters with JavaScript" : "filters without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("an outcome is switched off and on, and the form asks another question", async ({ page, team, server, signInAs }) => {
      const key = await team.key({ name: "Production" });
      await server.verify(key.key);
      await signInAs("owner");
      await expect(async () => {
        await page.goto(team.path("usage?range=7d"));
        await expect(chart(page, "day")).toBeVisible({ timeout: 100 });
      }).toPass();
      if (javaScriptEnabled) await hydrated(page);
      const requests = page.locator(".stat").filter({ hasText: "Requests" }).locator(".figure");
      await expect(requests).toHaveText("1");
      await page.getByRole("link", { name: "Hide Passed" }).click();
      await expect(page.getByText("No requests in this period")).toBeVisible();
      await page.goBack();
      await expect(requests).toHaveText("1");
      await page.getByLabel("Group by").selectOption("Type");
      await page.getByRole("button", { name: "Apply" }).click();
      await expect(page.getByRole("row", { name: /Secret keys/ })).toContainText("1");
      await expect(page).toHaveURL(/range=7d.*group_by=kind|group_by=kind.*range=7d/);
    });
  });
}

test("of two clicks the second wins, whichever is answered first", async ({ page, team, server, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await server.verify(key.key);
  await signInAs("owner");
  await expect(async () => {
    await open(page, team.path("usage"));
    await expect(chart(page, "day")).toBeVisible({ timeout: 100 });
  }).toPass();
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route(`**${API}`, async (route) => {
    if (route.request().postData()?.includes("24h")) await held;
    await route.continue();
  });
  const late = page.waitForResponse((response) => response.request().postData()?.includes("24h") ?? false);
  await range(page, "24 h").click();
  await range(page, "12 months").click();
  await expect(chart(page, "month")).toBeVisible();
  letGo();
  await (await late).finished();
  await expect(page).toHaveURL(team.path("usage?range=12m"));
  await expect(chart(page, "month")).toBeVisible();
  await expect(range(page, "12 months")).toHaveAttribute("aria-current", "true");
});

test("a range that is not answered leaves what is shown, and says what to do", async ({ page, team, signInAs, watch }) => {
  await signInAs("owner");
  await open(page, team.path("usage?range=7d"));
  await page.route(`**${API}`, (route) => route.fulfill({ status: 503, json: "unavailable" }));
  watch.expect(503, API);
  await range(page, "24 h").click();
  await expect(page.locator(".toasts").getByText("Try again in a moment.")).toBeVisible();
  await expect(page).toHaveURL(team.path("usage?range=7d"));
  await expect(range(page, "7 days")).toHaveAttribute("aria-current", "true");
});
