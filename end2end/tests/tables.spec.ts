// Tables at every width: none leaves its card, and from 1024 pixels on they have columns.

import { expect, open, test } from "../fixture/test.ts";

const PAGES = [
  "keys", "members", "audit", "tokens", "agents", "projects", "usage", "/account/sessions",
  "/instance/people", "/instance/organizations", "/instance/tokens", "/instance/log", "/instance",
];

test("no table leaves its card, and on a small laptop all of them have columns", async ({ page, team, signInAs }) => {
  test.setTimeout(120_000);
  await team.key({ name: "W".repeat(50), expiresInDays: 9 });
  await team.key({ name: "Website", kind: "widget", domains: [`a-very-long-subdomain-of-a-shop.${"n".repeat(40)}.example`] });
  await team.makeOperator("owner");
  await signInAs("owner");
  await page.goto(team.path("agents/new"));
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("An assistant with quite a long name, for the shop");
  await page.getByRole("textbox", { name: "Allowed domains" }).fill("support.of-a-shop-with-a-long-name.example, shop.example");
  await page.getByRole("button", { name: "Create agent" }).click();
  await expect(page.getByText("Agent created.")).toBeVisible();
  for (const path of PAGES) {
    await open(page, path.startsWith("/") ? path : team.path(path));
    for (const width of [320, 700, 735, 1024, 1280, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      const tables = await page.locator("main .card table").evaluateAll((tables) =>
        tables.map((table) => {
          const card = table.closest(".card")?.getBoundingClientRect();
          const cells = [...table.querySelectorAll("tbody :is(th, td)")].filter((cell) => cell.checkVisibility());
          const right = Math.max(...cells.map((cell) => cell.getBoundingClientRect().right));
          return { display: getComputedStyle(table).display, over: right - (card?.right ?? 0) };
        }),
      );
      for (const { display, over } of tables) {
        expect.soft(over, `${path} at ${width}`).toBeLessThanOrEqual(0.5);
        if (width >= 1024) expect.soft(display, `${path} at ${width}`).toBe("table");
      }
    }
  }
  // The filters of the audit log are one row.
  await page.setViewportSize({ width: 1024, height: 900 });
  await page.goto(team.path("audit"));
  const tops = await page.locator(".filters .field").evaluateAll((fields) => fields.map((field) => field.getBoundingClientRect().top));
  expect(new Set(tops).size).toBe(1);
});
