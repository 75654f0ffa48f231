import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { circl, root } from "./circl.ts";

test("docs/dashboards.md is what the panels ask now: run `npm run docs` where it is not", async () => {
  const { stdout } = await circl(["dashboards", "production", "--format", "markdown"]);
  expect(stdout).toBe(readFileSync(join(root, "docs/dashboards.md"), "utf8"));
});

test("docs/rules.md is what the rules say now: run `npm run docs` where it is not", async () => {
  const { stdout } = await circl(["explain", "--all", "--format", "markdown"]);
  expect(stdout).toBe(readFileSync(join(root, "docs/rules.md"), "utf8"));
});
