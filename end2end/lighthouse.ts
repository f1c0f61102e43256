// Measures pages with Lighthouse, from the npm package in the folder LATCHKEY_LIGHTHOUSE, and prints the median of
// LATCHKEY_LIGHTHOUSE_RUNS runs. Fails if accessibility or best practices are below 100. Speed depends on the machine,
// so a missed goal is only printed.

import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { chromium, expect, test } from "@playwright/test";

import { signIn } from "./fixture/test.ts";
import { Instance } from "./fixture/server.ts";
import { showcase } from "./fixture/showcase.ts";
import { Team } from "./fixture/team.ts";

const packages = process.env["LATCHKEY_LIGHTHOUSE"] ?? "";
const runs = Number(process.env["LATCHKEY_LIGHTHOUSE_RUNS"] ?? "5");
/** The start of the name of the pages to measure; empty for all. */
const only = process.env["LATCHKEY_LIGHTHOUSE_ONLY"] ?? "";

/** The lowest performance that is acceptable, from 0 to 100. */
const GOALS = { mobile: 95, desktop: 100 };
/** The most that a first view may transfer before WebAssembly, in KiB. */
const FIRST_VIEW = 160;
/** Keys of the large org. */
const MANY = 5_016;

interface Measured {
  performance: number;
  accessibility: number;
  bestPractices: number;
  firstPaint: number;
  largestPaint: number;
  blocking: number;
  shift: number;
  firstView: number;
  total: number;
}

test("lighthouse", async ({ launchOptions }) => {
  const { default: lighthouse } = await import(join(packages, "node_modules/lighthouse/core/index.js"));
  const { default: desktop } = await import(join(packages, "node_modules/lighthouse/core/config/desktop-config.js"));
  const instance = await Instance.create();
  try {
    const team = await showcase(instance);
    const large = await Team.create(instance, "Many Keys");
    await importMany(instance, large);
    const server = await instance.serve();
    const cookies = async (team: Team) => {
      const browser = await chromium.launch(launchOptions);
      const context = await browser.newContext({ baseURL: server.url });
      await signIn(context, server, team.email("owner"), team.password("owner"));
      const cookies = await context.cookies();
      await browser.close();
      // Until a time, because the browser drops those of its session with the last tab, after each measurement.
      const expires = Math.floor(Date.now() / 1_000) + 24 * 3_600;
      return cookies.map(({ name, value, domain, path, httpOnly, secure }) => ({ name, value, domain, path, httpOnly, secure, expires }));
    };
    const [few, many] = [await cookies(team), await cookies(large)];
    const pages = [
      { name: "Sign-in", path: "/sign-in", cookies: [] },
      { name: "Keys", path: team.path("keys"), cookies: few },
      { name: `Keys (${MANY})`, path: large.path("keys"), cookies: many },
      { name: "Create key", path: team.path("keys/new"), cookies: few },
      { name: "Usage", path: team.path("usage"), cookies: few },
    ];
    const problems: string[] = [];
    for (const { name, path, cookies } of pages.filter((page) => page.name.startsWith(only))) {
      // A browser of its own, because Lighthouse keeps the cookies that answers set.
      const port = await freePort();
      const args = [...(launchOptions.args ?? []), `--remote-debugging-port=${port}`];
      const browser = await chromium.launch({ ...launchOptions, args });
      // In the browser, which sends them with every request, and not as a header, which islands do not send.
      await (await browser.newBrowserCDPSession()).send("Storage.setCookies", { cookies });
      for (const form of ["mobile", "desktop"] as const) {
        const all: Measured[] = [];
        for (let run = 0; run < runs; run += 1) {
          const flags = { port, logLevel: "error" };
          let lhr: Result;
          // Lighthouse sometimes ends without a metric, and says so.
          for (let attempt = 0; attempt < 3 && !isComplete(lhr); attempt += 1) {
            lhr = (await lighthouse(`${server.url}${path}`, flags, form === "desktop" ? desktop : undefined)).lhr;
          }
          expect(isComplete(lhr), `${name}: ${lhr.runtimeError?.message ?? "a metric is missing"}`).toBe(true);
          expect(new URL(lhr.finalDisplayedUrl).pathname, "the page, and not the sign-in").toBe(path);
          all.push(measured(lhr));
          if (run === 0) problems.push(...failed(lhr, `${name}, ${form}`));
        }
        const [median, goal] = [medians(all), GOALS[form]];
        console.log(
          `${name}, ${form}: performance ${median.performance} (goal ${goal}${median.performance < goal ? ", MISSED" : ""}), ` +
            `accessibility ${median.accessibility}, best practices ${median.bestPractices}, ` +
            `first paint ${median.firstPaint} ms, largest ${median.largestPaint} ms, blocking ${median.blocking} ms, ` +
            `shift ${median.shift}, first view ${median.firstView} KiB (at most ${FIRST_VIEW}), in all ${median.total} KiB`,
        );
        expect(median.firstView, `${name}: first view`).toBeLessThanOrEqual(FIRST_VIEW);
      }
      await browser.close();
    }
    expect(problems).toEqual([]);
    await server.stop();
  } finally {
    await instance.remove();
  }
});

/** Imports many keys by their digests. */
async function importMany(instance: Instance, team: Team): Promise<void> {
  const rows = Array.from({ length: MANY }, (_, number) => {
    const digest = createHash("sha256").update(`key ${number}`).digest("hex");
    return `Service ${String(number).padStart(4, "0")},${digest},secret`;
  });
  const file = join(instance.dataDir, "many.csv");
  await writeFile(file, ["name,sha256,kind", ...rows].join("\n"));
  await instance.command(["key", "import", "--org", team.slug, file]);
}

// The results of Lighthouse have no types here.
type Result = any;

const METRICS = [
  "first-contentful-paint",
  "largest-contentful-paint",
  "total-blocking-time",
  "cumulative-layout-shift",
];

function isComplete(lhr: Result): boolean {
  return lhr !== undefined && METRICS.every((audit) => typeof lhr.audits[audit]?.numericValue === "number");
}

function measured(lhr: Result): Measured {
  const score = (category: string) => Math.round(100 * lhr.categories[category].score);
  const value = (audit: string) => Math.round(lhr.audits[audit].numericValue);
  const requests: { url: string; transferSize: number }[] = lhr.audits["network-requests"].details.items;
  const kib = (those: typeof requests) => Math.round(those.reduce((sum, each) => sum + each.transferSize, 0) / 1024);
  return {
    performance: score("performance"),
    accessibility: score("accessibility"),
    bestPractices: score("best-practices"),
    firstPaint: value("first-contentful-paint"),
    largestPaint: value("largest-contentful-paint"),
    blocking: value("total-blocking-time"),
    shift: Number(lhr.audits["cumulative-layout-shift"].numericValue.toFixed(3)),
    firstView: kib(requests.filter(({ url }) => !url.endsWith(".wasm"))),
    total: kib(requests),
  };
}

/** The audits of accessibility and best practices that failed. */
function failed(lhr: Result, where: string): string[] {
  const ids = ["accessibility", "best-practices"].flatMap((category) =>
    lhr.categories[category].auditRefs.filter((audit: Result) => audit.weight > 0).map((audit: Result) => audit.id),
  );
  const failing = ids.filter((id) => lhr.audits[id].score !== null && lhr.audits[id].score < 1);
  return failing.map((id) => `${where}: ${lhr.audits[id].title}`);
}

function medians(all: Measured[]): Measured {
  const middle = (of: keyof Measured) => all.map((each) => each[of]).sort((a, b) => a - b)[Math.floor(all.length / 2)];
  const names = Object.keys(all[0] ?? {}) as (keyof Measured)[];
  return Object.fromEntries(names.map((name) => [name, middle(name)])) as unknown as Measured;
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const address = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
