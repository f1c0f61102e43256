// From the server's HTML to a hydrated page: nothing moves, and no content is missing before.

import { expect, hydrated, open, test } from "../fixture/test.ts";
import type { Team } from "../fixture/team.ts";

async function pagesOf(team: Team): Promise<string[]> {
  const key = await team.key({ name: "Production server" });
  return ["keys", "keys/new", `keys/${key.id}`, "usage", "members"].map((page) => team.path(page)).concat("/account");
}

test("nothing moves while a page comes alive", async ({ page, team, signInAs }) => {
  const paths = await pagesOf(team);
  await signInAs("owner");
  await page.addInitScript(() => {
    const moved = { by: 0 };
    Object.assign(window, { moved });
    const add = (entry: PerformanceEntry) => (moved.by += (entry as PerformanceEntry & { value: number }).value);
    new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type: "layout-shift", buffered: true });
  });
  const moved = () =>
    page.evaluate(async () => {
      // After two frames, all changes have been painted and reported.
      for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
      return (window as unknown as { moved: { by: number } }).moved.by;
    });
  for (const width of [1320, 390]) {
    await page.setViewportSize({ width, height: 900 });
    for (const path of paths) {
      await open(page, path);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      expect(await moved(), `${path}, ${width} wide`).toBeLessThanOrEqual(0.01);
    }
  }
  // Check that a layout shift would be detected.
  await page.evaluate(() => document.body.prepend(Object.assign(document.createElement("p"), { textContent: "Moved" })));
  await expect.poll(moved).toBeGreaterThan(0.01);
});

test("the page that comes alive is the page that was sent", async ({ page, team, signInAs }) => {
  const paths = await pagesOf(team);
  await signInAs("owner");
  for (const path of paths) {
    const sent = await page.context().request.get(path);
    await open(page, path);
    const textOf = (html: string) =>
      page.evaluate((html) => {
        const main = new DOMParser().parseFromString(html, "text/html").querySelector("main");
        // What a page says only once it is live.
        main?.querySelectorAll("script, .live, .readout").forEach((element) => element.remove());
        return main?.textContent?.replace(/\s+/g, " ").trim();
      }, html);
    const before = await textOf(await sent.text());
    expect(before, path).toBeTruthy();
    expect(await textOf(await page.content()), path).toBe(before);
  }
});

test("a page that is not alive yet is whole", async ({ page, team, signInAs }) => {
  const paths = await pagesOf(team);
  await signInAs("owner");
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route(/\.wasm$/, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(paths[0] ?? "");
  await expect(page.getByRole("row", { name: /Production server/ })).toBeVisible();
  await page.getByRole("link", { name: "Production server" }).click();
  await expect(page.getByRole("heading", { name: "Production server", level: 1 })).toBeVisible();
  letGo();
  await hydrated(page);
  await expect(page.getByRole("heading", { name: "Production server", level: 1 })).toBeVisible();
});

test("what someone does before a page is alive is not lost", async ({ page, team, signInAs }) => {
  const key = await team.key({ name: "Production server" });
  await signInAs("owner");
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route(/\.wasm$/, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(team.path(`keys/${key.id}`));
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog")).toBeHidden();
  letGo();
  await expect(page.getByRole("combobox", { name: /^Search keys/ })).toBeFocused();
});
