// Every page, in light and dark, wide and narrow: axe-core reports no violations, and phones never scroll sideways.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, hydrated, test } from "../fixture/test.ts";
import { AREAS, FITTING_WIDTHS, looks, SCHEMES, WIDTHS } from "../fixture/pages.ts";

/** What sticks out of its card, and what is cut off in a field or a group of links. */
function cutOff(): string[] {
  const short = (element: Element) => element.outerHTML.slice(0, 120);
  const isOut = (element: Element) => {
    const card = element.closest(".card")?.getBoundingClientRect();
    const own = element.getBoundingClientRect();
    return card !== undefined && own.width > 1 && own.right > card.right + 0.5;
  };
  const out = [...document.querySelectorAll(".card > .table, .card > header > *, .card .btn")].filter(isOut);
  const cut = [...document.querySelectorAll(".review-tabs .seg")].filter((element) => element.scrollWidth > element.clientWidth);
  return [...out, ...cut].map(short);
}

test("a number beyond the edge of the navigation does not widen a phone's page", async ({ page, team, signInAs }) => {
  await page.setViewportSize({ width: 320, height: 800 });
  await signInAs("owner");
  await page.goto(team.path("keys"));
  await page.evaluate(() => {
    const count = document.createElement("span");
    count.className = "count";
    count.innerHTML = '<span aria-hidden="true">2</span><span class="visually-hidden">, 2 keys to review</span>';
    document.querySelector(".nav li:last-child a")?.append(count);
  });
  await expect(page.locator(".nav li:last-child .count")).toHaveCount(1);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});

for (const [width, area] of WIDTHS.flatMap((width) => AREAS.map((area) => [width, area] as const))) {
  test(`every page is accessible and fits: ${area}, ${width} pixels wide`, async ({ page, team, watch, signInAs, server }) => {
    test.setTimeout(600_000);
    await page.setViewportSize({ width, height: 900 });
    const active = await team.key({ name: "Production server", expiresInDays: 200 });
    const widget = await team.key({ name: "Website widget", kind: "widget", domains: ["northwind.example"], expiresInDays: 9 });
    const revoked = await team.key({ name: "A name of the fifty characters that a name may hav", environment: "test" });
    await server.verify(active.key);
    await server.verify(widget.key, { origin: "https://elsewhere.example" });
    const token = await team.token({ name: "API servers of the whole company", expiresInDays: 365 });
    // Its row has all columns filled.
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    await fetch(`${server.url}/v1/verify`, { method: "POST", headers, body: JSON.stringify({ key: active.key }) });
    if (area === "instance") await team.makeOperator("owner");
    await signInAs("owner");
    await page.goto(team.path(`keys/${revoked.id}`));
    await hydrated(page);
    await page.getByRole("main").getByText("Revoke key…").click();
    await page.getByLabel("Reason").selectOption("unused");
    await page.getByRole("dialog").getByRole("button", { name: "Revoke key" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Revoked");

    const cookies = await page.context().cookies();
    for (const look of looks(team, { active: active.id, widget: widget.id, revoked: revoked.id })[area]) {
      await test.step(look.name, async () => {
        await page.context().clearCookies();
        if (look.signedIn) await page.context().addCookies(cookies);
        if (look.status) watch.expect(look.status, look.path);
        await look.visit(page);
        if (look.alive) await hydrated(page);
        await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
        // An empty part of a sentence is rendered as a space.
        const misplaced = await page.evaluate(() => document.body.innerText.match(/\S.* [.,](?=\s|$)/gm) ?? []);
        expect.soft(misplaced, `${look.name} has a space before a period or comma`).toEqual([]);
        for (const colorScheme of SCHEMES) {
          await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
          // Even a color change without a transition takes a frame.
          await page.evaluate(async () => {
            for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
          });
          // The pages have no frames, whose results would be put together in a page of their own.
          const axe = new AxeBuilder({ page }).setLegacyMode();
          // The size of targets (WCAG 2.5.8) is not among the rules that run unless they are asked for.
          // Nor is that of names that begin with the visible text, which voice control needs (WCAG 2.5.3).
          axe.options({ rules: { "target-size": { enabled: true }, "label-content-name-mismatch": { enabled: true } } });
          // An open menu lies on the buttons of the rows below it.
          if (look.name === "keys-menu") axe.exclude("tbody .menu:not([open]) > summary");
          // The second color scheme affects only the contrast.
          if (colorScheme !== SCHEMES[0]) axe.withRules(["color-contrast"]);
          const { violations } = await axe.analyze();
          const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`);
          expect.soft(found, `${look.name}, ${colorScheme}`).toEqual([]);
        }
        for (const fitting of width === WIDTHS[0] ? FITTING_WIDTHS : [width]) {
          await page.setViewportSize({ width: fitting, height: 900 });
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          expect.soft(overflow, `${look.name} is wider than a screen of ${fitting} pixels`).toBeLessThanOrEqual(0);
          // A card and its controls cut what is wider, which the page does not show.
          expect.soft(await page.evaluate(cutOff), `${look.name}, ${fitting} pixels wide`).toEqual([]);
        }
        await page.setViewportSize({ width, height: 900 });
      });
    }
  });
}
