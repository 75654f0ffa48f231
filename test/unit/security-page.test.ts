/** Every finding of the old system names what keeps it closed: tests that are there, and rules with what they can do. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { allRules } from "../../src/rules/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What is wrong with the last column of a row. */
function gaps(finding: string, checks: string): readonly string[] {
  const files = [...checks.matchAll(/`(test\/[^`]+)`/g)].map(([, file = ""]) => file);
  const codes = [...checks.matchAll(/\b([A-Z]\d{3})\b( \(a warning)?/g)];
  const missing = files.filter((file) => !existsSync(join(root, file)) || !hasTests(file));
  const misnamed = codes.flatMap(([, code = "", warning]) => {
    const rule = allRules.find((one) => one.code === code);
    if (!rule) return [`no rule ${code}`];
    return (rule.severity === "warning") === (warning !== undefined) ? [] : [`${code} is of severity ${rule.severity}`];
  });
  return [...(files.length === 0 ? ["no test"] : []), ...missing.map((file) => `no test in ${file}`), ...misnamed].map(
    (gap) => `${finding}: ${gap}`,
  );
}

/** A suite of `test/support` is run by tests; a table there is what they compare with. */
const hasTests = (file: string): boolean =>
  file.startsWith("test/support/") || /^ *test\b/m.test(readFileSync(join(root, file), "utf8"));

const rows = (): readonly (readonly [finding: string, checks: string])[] => {
  const [, section = ""] = readFileSync(join(root, "docs/security.md"), "utf8").split(
    "## Findings of the old system\n",
  );
  const [table = ""] = section.split("\n## ");
  return [...table.matchAll(/^\| (.+?) \| .+ \| (.+) \|$/gm)]
    .map(([, finding = "", checks = ""]) => [finding, checks] as const)
    .filter(([finding]) => finding !== "finding");
};

test("every finding is kept closed by tests that are there and rules that do what is said of them", () => {
  expect(rows()).toHaveLength(12);
  expect(rows().flatMap(([finding, checks]) => gaps(finding, checks))).toEqual([]);
});

test("a finding without a check, with a test that is gone or with a rule that only warns would be found", () => {
  expect(gaps("a", "E010")).toEqual(["a: no test"]);
  expect(gaps("b", "`test/live/tls.test.ts`, `test/live/gone.test.ts`")).toEqual([
    "b: no test in test/live/gone.test.ts",
  ]);
  expect(gaps("c", "E016, E999, E010 (a warning), `test/live/tls.test.ts`")).toEqual([
    "c: E016 is of severity warning",
    "c: no rule E999",
    "c: E010 is of severity error",
  ]);
});
