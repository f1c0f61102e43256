// The permissions of each role (design §2). The browser receives no data beyond them.

import type { Page } from "@playwright/test";

import { expect, open, test } from "../fixture/test.ts";
import type { Server } from "../fixture/server.ts";
import { Team } from "../fixture/team.ts";

const DOMAIN = "only-for-admins.example";
const SCOPE = "integrations:write";

/** A key with settings and usage that members must not see. */
async function busyKey(team: Team, server: Server) {
  const widget = await team.key({ name: "Website widget", kind: "widget", domains: [DOMAIN], scopes: [SCOPE] });
  await server.verify(widget.key, { origin: `https://${DOMAIN}` });
  return { ...widget, page: team.path(`keys/${widget.id}`) };
}

/** Opens the usage page and waits until it shows the key's request. */
async function openUsage(page: Page, team: Team): Promise<void> {
  await expect(async () => {
    await open(page, team.path("usage"));
    await expect(page.getByRole("heading", { name: "Requests by outcome" })).toBeVisible({ timeout: 1_000 });
  }).toPass();
}

test("an owner sees and may do everything", async ({ page, team, server, signInAs }) => {
  const key = await busyKey(team, server);
  await signInAs("owner");
  await open(page, team.path("keys"));
  await expect(page.getByRole("link", { name: "Create key" })).toBeVisible();
  await expect(page.getByRole("columnheader", { name: /Requests/ })).toBeVisible();
  await open(page, key.page);
  await expect(page.getByText(DOMAIN, { exact: true })).toBeVisible();
  await expect(page.getByText(SCOPE, { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Disable" })).toBeVisible();
  await expect(page.getByRole("main").getByText("Revoke key…")).toBeVisible();
  await openUsage(page, team);
  await expect(page.getByRole("heading", { name: "By key" })).toBeVisible();
});

test("an admin sees everything and changes nothing", async ({ page, team, server, watch, signInAs }) => {
  const key = await busyKey(team, server);
  await signInAs("admin");
  await open(page, team.path("keys"));
  await expect(page.getByRole("columnheader", { name: /Requests/ })).toBeVisible();
  await expectNoControls(await page.content());
  await open(page, key.page);
  await expect(page.getByText(DOMAIN, { exact: true })).toBeVisible();
  await expect(page.getByText(SCOPE, { exact: true })).toBeVisible();
  await expectNoControls(await page.content());
  await openUsage(page, team);
  await expect(page.getByRole("heading", { name: "By key" })).toBeVisible();
  watch.expect(403, team.path("keys/new"));
  await page.goto(team.path("keys/new"));
  await expect(page.getByRole("heading", { name: "Permission denied" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Create key" })).toHaveCount(0);
});

test("a member sees the list and the totals, and nothing else in the source of any page", async ({ page, team, server, watch, signInAs }) => {
  const key = await busyKey(team, server);
  await signInAs("member");
  await openUsage(page, team);
  watch.expect(403, team.path("keys/new"));
  for (const path of [team.path("keys"), key.page, team.path("usage"), team.path("members"), team.path("keys/new")]) {
    // Check the response, with its hydration data, and the page after hydration.
    const sent = (await page.goto(path))?.text();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    for (const source of [await sent, await page.content()]) {
      expect(source, path).not.toContain(DOMAIN);
      expect(source, path).not.toContain(SCOPE);
      expect(source, path).not.toContain("created_by");
      expect(source, path).not.toMatch(/data-label="Requests|By key/);
      await expectNoControls(source ?? "");
    }
  }
  await open(page, team.path("keys"));
  await expect(page.getByRole("row", { name: /Website widget/ })).toContainText("Active");
});

test("an org that one is not in does not exist", async ({ page, team, server, watch, signInAs }) => {
  const key = await busyKey(team, server);
  const other = await Team.create(server.instance, "Fabrikam");
  const foreign = await other.key({ name: "Fabrikam server" });
  await signInAs("owner");
  const paths = ["keys", "keys/new", "usage", "members", `keys/${foreign.id}`].map((rest) => other.path(rest));
  // Another org's key is not found under one's own org either.
  for (const path of [...paths, team.path(`keys/${foreign.id}`), "/orgs/no-such-org/keys"]) {
    watch.expect(404, path);
    await page.goto(path);
    await expect(page.getByRole("heading", { name: "Not found" })).toBeVisible();
    expect(await page.content(), path).not.toContain("Fabrikam");
  }
  await open(page, key.page);
  await expect(page.getByRole("heading", { name: "Website widget" })).toBeVisible();
});

/** Checks that there is no control to change a key, visible or hidden. */
async function expectNoControls(source: string): Promise<void> {
  for (const trace of ['value="disable"', 'value="enable"', 'name="change" value="revoke"', "Revoke…", "Revoke key…", "Create key"]) {
    expect(source).not.toContain(trace);
  }
}
