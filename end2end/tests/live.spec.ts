// A usage page that is open updates itself, and pauses while it is in the background.

import { expect, open, test } from "../fixture/test.ts";

test("a visible usage page is live, shows new requests by itself, and pauses in the background", async ({ page, team, server, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await server.verify(key.key);
  await signInAs("owner");
  const streams: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/usage/live")) streams.push(new URL(request.url()).search);
  });
  await open(page, team.path("usage?range=24h"));
  const mark = page.getByRole("status").filter({ hasText: "Updates by itself" });
  await expect(mark).toBeVisible();
  const figure = page.locator(".stat", { hasText: "Requests" }).locator(".figure");
  await expect(figure).toHaveText("1", { timeout: 15_000 });
  await server.verify(key.key);
  await expect(figure).toHaveText("2", { timeout: 15_000 });

  await page.getByRole("group", { name: "Range" }).getByRole("link", { name: "7 days" }).click();
  await expect(page).toHaveURL(team.path("usage?range=7d"));
  await expect.poll(() => streams.at(-1)).toBe("?range=7d");
  await expect(mark).toBeVisible();

  const hide = (hidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    }, hidden);
  const before = streams.length;
  await hide(true);
  await expect(mark).toHaveCount(0);
  await hide(false);
  await expect(mark).toBeVisible();
  expect(streams.length).toBe(before + 1);
});

test("a time that is over is not live", async ({ page, team, signInAs }) => {
  await signInAs("owner");
  const streams: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/usage/live")) streams.push(new URL(request.url()).search);
  });
  const day = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
  await open(page, team.path(`usage?from=${day}&last=${day}`));
  const mark = page.getByRole("status").filter({ hasText: "Updates by itself" });
  await page.getByRole("group", { name: "Range" }).getByRole("link", { name: "24 h" }).click();
  await expect(mark).toBeVisible();
  expect(streams).toEqual(["?range=24h"]);
});
