// Takes pictures of every page, in light and dark, wide and narrow, and writes them to the folder LATCHKEY_SCREENSHOTS.
// If README_PICTURES is set, writes the two pictures of the README to that folder.

import { join, resolve } from "node:path";

import { expect, test } from "@playwright/test";

import { hydrated, signIn } from "./fixture/test.ts";
import { looks, SCHEMES, WIDTHS } from "./fixture/pages.ts";
import { Instance } from "./fixture/server.ts";
import { keysOf, showcase } from "./fixture/showcase.ts";

const folder = resolve("..", process.env["LATCHKEY_SCREENSHOTS"] ?? "target/screenshots");
const readme = process.env["README_PICTURES"];

/** The pictures for the README: the name of the source picture and the name in the README. */
const IN_README: Record<string, string> = { "keys-1320-light": "keys-light", "usage-1320-dark": "usage-dark" };

for (const width of WIDTHS) {
  for (const colorScheme of SCHEMES) {
    test(`${width} pixels wide, ${colorScheme}`, async ({ browser }) => {
      const instance = await Instance.create();
      try {
        const team = await showcase(instance);
        const server = await instance.serve();
        const keys = await keysOf(server, team);
        const all = Object.entries(looks(team, keys)).flatMap(([area, looks]) => looks.map((look) => ({ area, look })));
        // One session for all: from one of the pages on, signing in requires a code.
        const signedIn = await browser.newContext({ baseURL: server.url });
        await signIn(signedIn, server, team.email("owner"), team.password("owner"));
        const cookies = await signedIn.cookies();
        await signedIn.close();
        for (const { area, look } of all) {
          // The last area; marking the same person again changes nothing.
          if (area === "instance") await team.makeOperator("owner");
          const context = await browser.newContext({
            baseURL: server.url,
            viewport: { width, height: 900 },
            colorScheme,
            reducedMotion: "reduce",
          });
          if (look.signedIn) await context.addCookies(cookies);
          const page = await context.newPage();
          await look.visit(page);
          if (look.alive) await hydrated(page);
          await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
          // Without this, sticky elements appear at the scroll position in a picture of the whole page.
          await page.evaluate(() => window.scrollTo(0, 0));
          const name = `${look.name}-${width}-${colorScheme}`;
          await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
          if (readme && IN_README[name]) {
            await page.screenshot({ path: resolve("..", readme, `${IN_README[name]}.png`) });
          }
          await context.close();
        }
        await server.stop();
      } finally {
        await instance.remove();
      }
    });
  }
}

test("sign-up on an empty server", async ({ browser }) => {
  const instance = await Instance.create();
  try {
    const server = await instance.serve();
    for (const width of WIDTHS) {
      for (const colorScheme of SCHEMES) {
        const context = await browser.newContext({ baseURL: server.url, viewport: { width, height: 900 }, colorScheme });
        const page = await context.newPage();
        await page.goto("/");
        await hydrated(page);
        await expect(page.getByRole("button", { name: "Create account" })).toBeVisible();
        await page.screenshot({ path: join(folder, `sign-up-${width}-${colorScheme}.png`), fullPage: true });
        await context.close();
      }
    }
    await server.stop();
  } finally {
    await instance.remove();
  }
});
