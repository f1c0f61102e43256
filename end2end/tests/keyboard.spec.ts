// Use without a mouse.

import { expect, open, test } from "../fixture/test.ts";

test("the first stop on a page skips to its content", async ({ page, team, signInAs }) => {
  await signInAs("owner");
  await open(page, team.path("keys"));
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to content" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("main").getByRole("link").first()).toBeFocused();
});

test("every stop shows that it has the focus", async ({ page, team, signInAs }) => {
  await team.key({ name: "Production server" });
  await signInAs("owner");
  await open(page, team.path("keys"));
  for (let stop = 0; stop < 20; stop += 1) {
    await page.keyboard.press("Tab");
    const shown = await page.evaluate(() => {
      const focused = document.activeElement;
      if (!focused || focused === document.body) return "";
      // A field can show its focus on the box around it.
      const marks = [focused, focused.parentElement].flatMap((element) => {
        const style = element ? getComputedStyle(element) : null;
        return [style?.outlineStyle !== "none" && style?.outlineWidth !== "0px", style?.boxShadow !== "none"];
      });
      return marks.some(Boolean) ? "" : focused.outerHTML.slice(0, 200);
    });
    expect(shown, "focused without a visible mark").toBe("");
  }
});

test("the question before revoking holds the focus, and Escape takes it back", async ({ page, team, server, signInAs }) => {
  const key = await team.key({ name: "Production server" });
  await signInAs("owner");
  await open(page, team.path(`keys/${key.id}`));
  const opener = page.getByRole("main").getByRole("link", { name: "Revoke key…" });
  await opener.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: /Revoke/ });
  await expect(dialog).toBeVisible();
  for (let stop = 0; stop < 8; stop += 1) {
    await page.keyboard.press("Tab");
    // The browser's toolbar is part of the tab order. While it has focus, the page has no focused element.
    const inside = await page.evaluate(() => {
      const focused = document.activeElement;
      return focused === document.body || focused?.closest("dialog") != null;
    });
    expect(inside).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(opener).toBeFocused();
  expect(await server.verify(key.key)).toMatchObject({ valid: true });

  await opener.press("Enter");
  await dialog.getByRole("button", { name: "Cancel" }).press("Enter");
  await expect(dialog).toBeHidden();
  expect(await server.verify(key.key)).toMatchObject({ valid: true });
});

test("a menu of a row opens, closes by Escape and gives the focus back", async ({ page, team, signInAs }) => {
  await team.key({ name: "Production server" });
  await signInAs("owner");
  await open(page, team.path("keys"));
  const menu = page.getByRole("row", { name: /Production server/ }).locator("summary");
  await menu.focus();
  await page.keyboard.press("Enter");
  const view = page.getByRole("row", { name: /Production server/ }).locator("details li").first();
  await expect(view).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(view).toBeHidden();
  await expect(menu).toBeFocused();
});

test("arrows, Home, End and letters move in a menu", async ({ page, team, signInAs }) => {
  await team.key({ name: "Production server" });
  await signInAs("owner");
  await open(page, team.path("keys"));
  const menu = page.getByRole("row", { name: /Production server/ });
  await menu.locator("summary").focus();
  const focused = (text: string) => expect(menu.locator(":focus")).toHaveText(text);
  for (const [key, text] of [
    ["ArrowDown", "Open"],
    ["ArrowDown", "Edit"],
    ["End", "Revoke key…"],
    ["ArrowDown", "Open"],
    ["ArrowUp", "Revoke key…"],
    ["Home", "Open"],
    ["r", "Rotate…"],
    ["R", "Revoke key…"],
  ] as const) {
    await page.keyboard.press(key);
    await focused(text);
  }
  await page.keyboard.press("Escape");
  await expect(menu.locator("summary")).toBeFocused();
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("after a change the focus is on what was changed, or on the message", async ({ page, team, signInAs }) => {
      const key = await team.key({ name: "Production server" });
      await signInAs("owner");
      await page.goto(team.path(`keys/${key.id}`));
      await page.getByRole("button", { name: "Disable" }).press("Enter");
      await expect(page.getByRole("button", { name: "Enable" })).toBeFocused();
      await page.getByRole("button", { name: "Undo" }).press("Enter");
      await expect(page.getByRole("button", { name: "Disable" })).toBeFocused();
      // A change whose form is gone.
      await page.goto(`${team.path("projects")}?new=1`);
      await page.getByRole("textbox", { name: "Name" }).fill("Website");
      await page.getByRole("textbox", { name: "Name" }).press("Enter");
      await expect(page.getByText("Project created.")).toBeVisible();
      await expect(page.locator("#messages")).toBeFocused();
    });
  });
}
