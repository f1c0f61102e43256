// The list of keys: its state is in the URL, so that it can be shared, reloaded and restored with Back.

import { expect, hydrated, open, test } from "../fixture/test.ts";
import type { Team } from "../fixture/team.ts";

const NUMBER = 120;
const PAGE = 50;

/** `Key 001` to `Key 120`: every third is a test key, the last ten expire soon. */
async function manyKeys(team: Team): Promise<void> {
  const left = Array.from({ length: NUMBER }, (_, index) => index + 1);
  const make = async () => {
    for (let number = left.shift(); number; number = left.shift()) {
      await team.key({
        name: `Key ${String(number).padStart(3, "0")}`,
        environment: number % 3 === 0 ? "test" : "live",
        expiresInDays: number > NUMBER - 10 ? 5 : 90,
      });
    }
  };
  await Promise.all([make(), make()]);
}

test("search, filters, sorting and pages, by address", async ({ page, team, signInAs }) => {
  test.setTimeout(180_000);
  await manyKeys(team);
  await signInAs("owner");
  const rows = page.getByRole("main").locator("tbody tr");
  const first = rows.first().getByRole("rowheader");
  await open(page, team.path("keys"));
  await expect(rows).toHaveCount(PAGE);
  await expect(page.getByRole("columnheader", { name: "Created" })).toHaveAttribute("aria-sort", "descending");

  await test.step("sorts by name, both ways", async () => {
    await page.getByRole("columnheader", { name: "Name" }).getByRole("link").click();
    await expect(first).toContainText("Key 001");
    await expect(page.getByRole("columnheader", { name: "Name" })).toHaveAttribute("aria-sort", "ascending");
    await page.getByRole("columnheader", { name: "Name" }).getByRole("link").click();
    await expect(first).toContainText("Key 120");
    await expect(page.getByRole("columnheader", { name: "Name" })).toHaveAttribute("aria-sort", "descending");
    await expect(page).toHaveURL(/dir=desc/);
    await page.getByRole("columnheader", { name: "Name" }).getByRole("link").click();
    await expect(first).toContainText("Key 001");
  });

  await test.step("turns pages, and the browser's buttons turn them back", async () => {
    const pager = page.getByRole("navigation", { name: /pages/i });
    await pager.getByRole("link", { name: "Next" }).click();
    await expect(first).toContainText("Key 051");
    await pager.getByRole("link", { name: "Next" }).click();
    await expect(first).toContainText("Key 101");
    await expect(rows).toHaveCount(NUMBER - 2 * PAGE);
    await expect(pager).toContainText("101–120 of 120");
    await expect(pager.getByRole("link", { name: "Next" })).toBeDisabled();
    await page.goBack();
    await expect(first).toContainText("Key 051");
    await page.reload();
    await expect(first).toContainText("Key 051");
    await pager.getByRole("link", { name: "Previous" }).click();
    await expect(first).toContainText("Key 001");
    await page.goBack();
    await expect(first).toContainText("Key 051");
    await page.goForward();
    await expect(first).toContainText("Key 001");
  });

  await test.step("filters", async () => {
    await page.getByRole("group", { name: "Environment" }).getByRole("link", { name: "Test" }).click();
    await expect(rows).toHaveCount(NUMBER / 3);
    await expect(page).toHaveURL(/environment=test/);
    await page.getByRole("group", { name: "Status" }).getByRole("link", { name: "Needs attention" }).click();
    await expect(rows, "those that expire soon").toHaveCount(4);
    await expect(page).toHaveURL(/environment=test/);
    await page.getByText("Filters (2)").click();
    await page.getByRole("combobox", { name: "Finding" }).selectOption("Expires soon");
    await page.getByRole("button", { name: "Filter" }).click();
    await expect(rows).toHaveCount(4);
    await expect(page).toHaveURL(/environment=test/);
    await expect(rows.first()).toContainText("Expires in");
  });

  await test.step("searches", async () => {
    await page.goto(team.path("keys"));
    await page.getByRole("searchbox", { name: "Search keys" }).fill("KEY 11");
    await page.getByRole("searchbox", { name: "Search keys" }).press("Enter");
    await expect(rows).toHaveCount(10);
    await expect(page).toHaveURL(/q=KEY(\+|%20)11/);
    await page.reload();
    await expect(rows).toHaveCount(10);
    await page.getByRole("searchbox", { name: "Search keys" }).fill("100% no_such");
    await page.getByRole("searchbox", { name: "Search keys" }).press("Enter");
    await expect(page.getByRole("heading", { name: /No key matches/ })).toBeVisible();
    await page.getByRole("link", { name: "Show all keys" }).click();
    await expect(rows).toHaveCount(PAGE);
  });
});

test("on a phone a key takes a few lines, and several can be chosen", async ({ page, team, signInAs }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const name of ["Production server", "Staging"]) await team.key({ name, scopes: ["bots:read"] });
  await team.key({ name: "Website", scopes: ["bots:read"], kind: "widget", domains: ["northwind.example", "*.northwind.example"] });
  await signInAs("owner");
  await open(page, team.path("keys"));
  await page.getByRole("link", { name: "Dismiss" }).click();
  await expect(page.getByRole("heading", { name: "First steps" })).toHaveCount(0);
  // The filters are folded, so that the first key is in the upper half of the page. Nothing is cut off at the edge.
  expect((await page.locator("tbody tr").first().boundingBox())?.y).toBeLessThan(422);
  const cut = () =>
    page.evaluate(() => {
      const links = [...document.querySelectorAll("main :is(.sort, .seg a)")].filter((link) => link.checkVisibility());
      return links.filter((link) => link.getBoundingClientRect().right > innerWidth - 16).map((link) => link.textContent);
    });
  expect(await cut()).toEqual([]);
  await expect(page.getByRole("combobox", { name: "Finding" })).toBeHidden();
  await page.getByText("Filters", { exact: true }).click();
  await expect(page.getByRole("combobox", { name: "Finding" })).toBeVisible();
  expect(await cut()).toEqual([]);
  await page.getByText("Filters", { exact: true }).click();
  for (const row of await page.getByRole("main").locator("tbody tr").all()) {
    // The badges of findings have a line of their own.
    const hasBadge = await row.getByText("Works on localhost").isVisible();
    expect((await row.boundingBox())?.height).toBeLessThanOrEqual(hasBadge ? 157 : 118);
    for (const part of [row.locator("code"), row.locator(".tag").first(), row.locator("summary")]) await expect(part).toBeVisible();
    await expect(row).toContainText("Never");
    for (const label of ["Expires", "Requests, 30 days"]) await expect(row.locator(`[data-label="${label}"]`)).toBeVisible();
    await row.getByRole("checkbox").check();
  }
  await expect(page.getByRole("button", { name: "Disable…" })).toBeInViewport();
  await page.getByRole("button", { name: "Disable…" }).click();
  await page.getByRole("button", { name: "Disable 3 keys" }).click();
  await expect(page.getByText("3 keys disabled.")).toBeVisible();
});

test("the actions of a row do what the key's page does", async ({ page, team, server, signInAs }) => {
  const key = await team.key({ name: "Staging" });
  await signInAs("owner");
  await open(page, team.path("keys"));
  const row = page.getByRole("row", { name: /Staging/ });
  await row.locator("summary").click();
  await row.getByRole("button", { name: "Disable" }).click();
  await expect(row).toContainText("Disabled");
  expect(await server.verify(key.key)).toMatchObject({ reason: "disabled" });
  const said = page.getByRole("status").getByText("“Staging” disabled.");
  await expect(said).toBeVisible();
  await page.reload();
  await expect(row).toContainText("Disabled");
  await expect(said, "said once").toHaveCount(0);
});

test("a key that was changed in its row is below the header, and its row leads to its page", async ({ page, team, signInAs }) => {
  await page.setViewportSize({ width: 1320, height: 500 });
  for (let number = 1; number <= 14; number += 1) await team.key({ name: `Key ${number}` });
  const key = await team.key({ name: "Staging", scopes: ["bots:read"] });
  for (let number = 15; number <= 28; number += 1) await team.key({ name: `Key ${number}` });
  await signInAs("owner");
  await open(page, team.path("keys"));
  const row = page.getByRole("row", { name: /Staging/ });
  await row.locator("summary").scrollIntoViewIfNeeded();
  await row.locator("summary").click();
  await row.getByRole("button", { name: "Disable" }).click();
  await expect(row).toContainText("Disabled");
  await hydrated(page);
  const [header, box] = [await page.locator("thead").boundingBox(), await row.boundingBox()];
  expect(box && header && box.y >= header.y + header.height - 0.5, JSON.stringify({ header, box })).toBeTruthy();
  await expect(row).toBeInViewport({ ratio: 1 });

  // Everything in the row but its menu and checkbox opens the key.
  await row.getByRole("checkbox").check();
  await row.locator("summary").click();
  await expect(row.getByRole("link", { name: "Edit" })).toBeVisible();
  await page.keyboard.press("Escape");
  await row.locator('[data-label="Type"]').click({ position: { x: 2, y: 4 }, force: true });
  await expect(page).toHaveURL(team.path(`keys/${key.id}`));
});

test("an org without keys says what a key is and leads to the first", async ({ page, team, signInAs }) => {
  await signInAs("owner");
  await open(page, team.path("keys"));
  await page.locator(".empty").getByRole("link", { name: /key/i }).click();
  await expect(page).toHaveURL(team.path("keys/new"));
});

test("the table never leaves its card, with long names and reasons", async ({ page, team, signInAs }) => {
  const long = "W".repeat(50);
  await team.key({ name: long });
  await team.key({ name: long.toLowerCase(), kind: "widget", domains: [`a-very-long-subdomain-of-a-shop.${"n".repeat(40)}.example`] });
  await signInAs("owner");
  await open(page, team.path("keys"));
  await page.getByRole("checkbox", { name: `Select ${long}`, exact: true }).check();
  await page.getByRole("button", { name: "Revoke…" }).click();
  await page.getByLabel("Reason").selectOption("left-team");
  await page.getByRole("button", { name: "Revoke 1 key" }).click();
  for (const width of [320, 768, 1024, 1280, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(team.path("keys"));
    const table = page.getByRole("table");
    const card = page.locator(".card", { has: table });
    const [inner, outer] = [await table.boundingBox(), await card.boundingBox()];
    expect(inner && outer).toBeTruthy();
    if (!inner || !outer) return;
    expect(inner.x + inner.width, `at ${width}`).toBeLessThanOrEqual(outer.x + outer.width + 0.5);
    expect(await card.evaluate((element) => element.scrollWidth - element.clientWidth), `at ${width}`).toBeLessThanOrEqual(0);
    const display = await table.evaluate((element) => getComputedStyle(element).display);
    if (width >= 1024) expect(display, `a table at ${width}`).toBe("table");
    for (const cell of await table.locator("tbody :is(th, td)").all()) {
      const box = await cell.boundingBox();
      if (box) expect(box.x + box.width, `at ${width}`).toBeLessThanOrEqual(outer.x + outer.width + 0.5);
    }
  }
});

test("the buttons for selected keys wait for a selection, which is kept", async ({ page, team, signInAs }) => {
  await team.key({ name: "Production" });
  await team.key({ name: "Staging" });
  await signInAs("owner");
  await open(page, team.path("keys"));
  const disable = page.getByRole("button", { name: "Disable…" });
  await expect(disable).toBeDisabled();
  await page.getByRole("checkbox", { name: "Select Staging" }).check();
  await expect(disable).toBeEnabled();
  await expect(page.locator(".chosen")).toHaveText("selected");
  expect(await page.locator(".chosen").evaluate((element) => getComputedStyle(element, "::before").content)).toMatch(/counter/);
  await disable.click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("checkbox", { name: "Select Staging" })).toBeChecked();
  await expect(page.getByRole("checkbox", { name: "Select Production" })).not.toBeChecked();
  await expect(disable).toBeEnabled();
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("the buttons for selected keys work, and say so if none is selected", async ({ page, team, watch, signInAs }) => {
    await team.key({ name: "Production" });
    await signInAs("owner");
    await page.goto(team.path("keys"));
    const disable = page.getByRole("button", { name: "Disable…" });
    watch.expect(422, team.path("keys"));
    await disable.click();
    await expect(page.getByText("Select at least one key.")).toBeVisible();
    await page.getByRole("checkbox", { name: "Select Production" }).check();
    await disable.click();
    await page.getByRole("button", { name: "Disable 1 key" }).click();
    await expect(page.getByText("“Production” disabled.")).toBeVisible();
  });
});

test("a row's menu copies the key's ID", async ({ page, context, team, signInAs }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const key = await team.key({ name: "Production" });
  await signInAs("owner");
  await open(page, team.path("keys"));
  await page.locator("tbody summary").first().click();
  await page.getByRole("button", { name: "Copy ID" }).click();
  await expect(page.getByRole("status").getByText(`Copied ${key.id}.`)).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key.id);
});

test("a search that was not sent remains while keys are changed", async ({ page, team, signInAs }) => {
  for (const name of ["Production server", "Staging"]) await team.key({ name });
  await signInAs("owner");
  await open(page, team.path("keys"));
  await page.getByRole("searchbox", { name: "Search keys" }).fill("stag");
  for (const name of ["Production server", "Staging"]) await page.getByRole("checkbox", { name: `Select ${name}` }).check();
  await page.getByRole("button", { name: "Disable…" }).click();
  const sure = page.getByRole("button", { name: "Disable 2 keys" });
  await expect(sure).toBeVisible();
  await hydrated(page);
  await sure.click();
  await expect(page.getByText("2 keys disabled.")).toBeVisible();
  await expect(page.getByRole("searchbox", { name: "Search keys" })).toHaveValue("stag");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("2 keys enabled.")).toBeVisible();
});

for (const width of [1320, 390]) {
  test(`an open menu is above the rows below it, ${width} pixels wide`, async ({ page, team, signInAs }) => {
    await page.setViewportSize({ width, height: 900 });
    for (const name of ["First", "Second", "Third", "Fourth"]) await team.key({ name });
    await signInAs("owner");
    await open(page, team.path("keys"));
    const menu = page.locator("tbody tr").first().locator(".menu");
    await menu.locator("summary").click();
    // At its right edge, where the buttons of other menus are, and where names and badges are.
    const covered = await menu.locator("ul").evaluate((list) => {
      const { left, right, top, bottom } = list.getBoundingClientRect();
      const covered: string[] = [];
      for (let y = top + 4; y < bottom; y += 8) {
        for (const x of [left + 4, (left + right) / 2, right - 12, right - 4]) {
          const found = document.elementFromPoint(x, y);
          if (!list.contains(found)) covered.push(`${x},${y}: ${found?.outerHTML.slice(0, 80)}`);
        }
      }
      return covered;
    });
    expect(covered).toEqual([]);
  });
}
