// Finding a key by its secret: with and without scripts, the secret is never in a URL.

import { expect, open, test } from "../fixture/test.ts";

test("a key pasted into the search or the palette is posted and leads to its page", async ({ page, team, signInAs }) => {
  const key = await team.key({ name: "Production" });
  await team.key({ name: "Staging" });
  await signInAs("owner");
  const addresses: string[] = [];
  page.on("request", (request) => addresses.push(request.url()));
  const bodies: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/api/find")) bodies.push(request.postData() ?? "");
  });

  await test.step("in the search of the list", async () => {
    await open(page, team.path("keys"));
    await page.getByRole("searchbox", { name: "Search keys" }).fill(key.key);
    await page.getByRole("searchbox", { name: "Search keys" }).press("Enter");
    await expect(page.getByRole("heading", { name: "Production", level: 1 })).toBeVisible();
    await expect(page.getByText("This is the current secret of this key.")).toBeVisible();
    await expect(page.getByRole("link", { name: "Revoke…" }).first()).toBeVisible();
  });

  await test.step("in the palette, which does not search for it", async () => {
    await open(page, team.path("keys"));
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /^Search keys/ }).fill(key.key);
    await expect(page.getByRole("option", { name: /Find the key with this secret/ })).toBeVisible();
    await page.keyboard.press("Enter");
    await expect(page.getByText("This is the current secret of this key.")).toBeVisible();
  });

  await test.step("on its own page", async () => {
    await open(page, team.path("keys"));
    await page.getByRole("link", { name: "Find by secret" }).click();
    await page.getByLabel("Secret", { exact: true }).fill("lk_sk_live_unknown");
    await page.getByRole("button", { name: "Find key" }).click();
    await expect(page.getByText("This is not a whole key")).toBeVisible();
    await expect(page.getByLabel("Secret", { exact: true })).toHaveValue("");
  });

  await test.step("and an address with it is dropped", async () => {
    await page.goto(`${team.path("keys")}?q=${key.key}`);
    await expect(page).toHaveURL(/keys\?dropped=1$/);
    await expect(page.getByText("That search looked like a key")).toBeVisible();
    addresses.splice(addresses.findIndex((address) => address.includes(key.key)), 1);
  });
  const secret = key.key.slice("lk_sk_live_".length + 4, -4);
  expect(addresses.filter((address) => address.includes(secret))).toEqual([]);
  expect(bodies.filter((body) => body.includes(secret))).toEqual([]);
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("the form finds a key", async ({ page, team, signInAs }) => {
    const key = await team.key({ name: "Production" });
    await signInAs("owner");
    await page.goto(team.path("keys/find"));
    await page.getByLabel("Secret", { exact: true }).fill(key.key);
    await page.getByRole("button", { name: "Find key" }).click();
    await expect(page.getByText("This is the current secret of this key.")).toBeVisible();
    expect(page.url()).not.toContain(key.key);
  });
});
