import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { synth } from "../../src/cli/commands/synth.ts";
import { realDefinitions } from "../support/definitions.ts";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "circl-dist-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every file below `root` with its content. */
const contents = (root: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [
        join(entry.parentPath, entry.name).slice(root.length),
        readFileSync(join(entry.parentPath, entry.name), "utf8"),
      ]),
  );

test("dist is what synth writes now: run `npm run synth` and commit it where it is not", async () => {
  await synth(realDefinitions, Object.keys(realDefinitions.environments), folder);
  expect(contents(dist)).toEqual(contents(folder));
});

test("no secret is in dist: only where it comes from", () => {
  const text = Object.values(contents(dist)).join("\n");
  expect(text).not.toMatch(/\bS[UAOCNXP][A-Z2-7]{54,}\b|BEGIN [A-Z ]*PRIVATE KEY|\$2[aby]\$\d\d\$/);
  expect(text).not.toMatch(/password: *["']?\w|"requirepass" *: *"\w/);
});
