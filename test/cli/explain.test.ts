import { execFile } from "node:child_process";
import { expect, test } from "vitest";
import { allRules } from "../../src/rules/index.ts";
import { circl, root } from "./circl.ts";

test("without codes every rule is one line", async () => {
  const { code, stdout } = await circl(["explain"]);
  expect(code).toBe(0);
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ")[0]),
  ).toEqual(allRules.map((rule) => rule.code));
});

test("a code in any case gives severity, title, reason and way out", async () => {
  const { code, stdout } = await circl(["explain", "s001"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^S001 error: A key that does not exist\n {2}why: .+[\s\S]*\n {2}way out: Remove it or spell it right\.\n$/,
  );
});

test("--json has the rules asked for in full", async () => {
  const { stdout } = await circl(["explain", "S001", "E002", "--json"]);
  const { formatVersion, rules } = JSON.parse(stdout);
  expect(formatVersion).toBe(1);
  expect(rules.map((rule: { code: string }) => rule.code)).toEqual(["E002", "S001"]);
  for (const rule of rules) expect(Object.keys(rule)).toEqual(["code", "severity", "title", "reason", "hint"]);
});

test("--all --format markdown is the page docs/rules.md, one section a rule", async () => {
  const { code, stdout } = await circl(["explain", "--all", "--format", "markdown"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^<!-- Generated .*-->\n\n# Rules\n/);
  expect([...stdout.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual([
    "Environments",
    "Streams",
    "Manifests",
    "Changes",
  ]);
  expect([...stdout.matchAll(/^### ([A-Z]\d+): /gm)].map(([, code]) => code).sort()).toEqual(
    allRules.map((rule) => rule.code as string).sort(),
  );
});

test("a closed pipe is no failure", async () => {
  const script = "set -o pipefail; node bin/circl explain --all --format markdown | head -c 10";
  const outcome = await new Promise((done) => {
    execFile("bash", ["-c", script], { cwd: root }, (error, stdout, stderr) => done({ error, stdout, stderr }));
  });
  expect(outcome).toEqual({ error: null, stdout: "<!-- Gener", stderr: "" });
});
