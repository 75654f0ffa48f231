import { appendFileSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { circl, repositoryCopy } from "./circl.ts";

const bundles = (copy: { readonly path: string }) => readdirSync(join(copy.path, "node_modules/.cache/circl"));

test("processes that start at once on an empty cache do not get in each other's way", async () => {
  using copy = repositoryCopy();
  const outcomes = await Promise.all([1, 2, 3].map(() => circl(["check"], { root: copy.path })));
  expect(outcomes.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(3).fill({ code: 0, stderr: "" }));
  expect(bundles(copy)).toHaveLength(1);
});

test("bundles once: the next run does without esbuild, an edit needs it again", async () => {
  using copy = repositoryCopy();
  expect((await circl(["check"], { root: copy.path })).code).toBe(0);
  rmSync(join(copy.path, "node_modules/esbuild"));
  expect((await circl(["check"], { root: copy.path })).code).toBe(0);
  appendFileSync(join(copy.path, "streams/oms.ts"), "\n");
  expect(await circl(["check"], { root: copy.path })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("esbuild"),
  });
});

test("a syntax error is shown with its place and line", async () => {
  using copy = repositoryCopy();
  writeFileSync(join(copy.path, "streams/oms.ts"), "export const streams = [;\n");
  const { code, stdout, stderr } = await circl(["check"], { root: copy.path, env: { CDK8S_OUTDIR: "dist" } });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain('Unexpected ";"');
  expect(stderr).toContain("streams/oms.ts:1:24:");
  expect(stderr).toContain("git checkout -- dist");
  expect(stderr).not.toContain("    at ");
  expect(bundles(copy)).toEqual([]);
});

test("old bundles go, a few stay", async () => {
  using copy = repositoryCopy();
  const cache = join(copy.path, "node_modules/.cache/circl");
  for (let age = 1; age <= 9; age++) {
    mkdirSync(join(cache, `old-${age}`), { recursive: true });
    const made = Date.now() / 1000 - age * 3600 - 60;
    utimesSync(join(cache, `old-${age}`), made, made);
  }
  await circl(["--version"], { root: copy.path });
  const kept = bundles(copy);
  expect(kept).toHaveLength(5);
  expect(kept).toEqual(expect.arrayContaining(["old-1", "old-2", "old-3", "old-4"]));
});

test("a fault of circl itself is shown with a stack that names the source", async () => {
  using copy = repositoryCopy();
  appendFileSync(
    join(copy.path, "environments/index.ts"),
    "\nObject.defineProperty(environments, 'local', { get() { throw new Error('boom') } });\n",
  );
  const { code, stderr } = await circl(["check", "local"], { root: copy.path });
  expect(code).toBe(1);
  expect(stderr).toContain("Error: boom");
  expect(stderr).toMatch(/at .*environments\/index\.ts:\d+:\d+/);
});

test("works through a link and from any folder", async () => {
  using copy = repositoryCopy();
  mkdirSync(join(copy.path, "elsewhere"));
  expect((await circl(["check"], { root: copy.path, cwd: join(copy.path, "elsewhere") })).code).toBe(0);
});
