import { describe, expect, test } from "vitest";
import { check } from "../../src/cli/commands/check.ts";
import { renderCheck } from "../../src/cli/output/problems.ts";
import { lookOf } from "../../src/cli/output/terminal.ts";
import { realDefinitions } from "../support/definitions.ts";
import { circl } from "./circl.ts";

const plain = { ...lookOf(process.stdout), ...{ width: 100 } };

describe("circl check", () => {
  test("finds no errors in what is committed and sums up in its last line", async () => {
    const { code, stdout, stderr } = await circl(["check"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/\n?3 environments: 0 errors, \d+ warnings?\.\n$/);
    expect(stdout).not.toContain("\u001b[");
  });

  test("checks only the environments named", async () => {
    expect((await circl(["check", "local", "staging"])).stdout).toMatch(/\n?2 environments: 0 errors/);
  });

  test("--json is one document with every problem in full", async () => {
    const { code, stdout } = await circl(["check", "production", "--json"]);
    expect(code).toBe(0);
    const { problems, summary, ...report } = JSON.parse(stdout);
    expect(report).toEqual({ formatVersion: 1, environments: ["production"], unfinished: [] });
    expect(summary).toEqual({ errors: 0, warnings: problems.length });
    for (const problem of problems) {
      expect(Object.keys(problem).sort()).toEqual(
        ["code", "environments", "hint", "place", "reason", "says", "severity", "title"].sort(),
      );
    }
  });

  test("reasons of warnings are for --verbose", async () => {
    expect((await circl(["check"])).stdout).not.toContain("  why: ");
    expect((await circl(["check", "--verbose"])).stdout).toContain("  why: ");
  });

  test("colours are for those who ask for them", async () => {
    expect((await circl(["check"], { env: { FORCE_COLOR: "1" } })).stdout).toContain("\u001b[");
    expect((await circl(["check"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).stdout).not.toContain("\u001b[");
  });
});

describe("a check of broken definitions", () => {
  const misspelt = {
    ...realDefinitions,
    streams: { ...realDefinitions.streams, iot: [{ name: "circl_iot", maxByte: "1GiB" } as object] },
  } as typeof realDefinitions;

  test("says the same problem once for all environments, and that other rules have not run", () => {
    const report = check(misspelt, ["staging", "production"]);
    expect(report.unfinished).toEqual(["staging", "production"]);
    expect(report.problems).toMatchObject([
      {
        code: "S001",
        severity: "error",
        place: "streams/iot.ts: circl_iot.maxByte",
        says: "does not exist",
        hint: 'Did you mean "maxBytes"?',
        environments: ["staging", "production"],
      },
    ]);
    const text = renderCheck(report, false, plain);
    expect(text).toContain(
      "error S001 streams/iot.ts: circl_iot.maxByte does not exist (staging, production)\n  why: ",
    );
    expect(text).toContain('\n  way out: Did you mean "maxBytes"?\n');
    expect(text).toContain("Not all rules ran on staging, production: the others do once these errors are mended.");
    expect(text).toMatch(/\n2 environments: 1 error, 0 warnings\.$/);
  });

  test("one broken environment does not hide the problems of the others", () => {
    const { environments } = realDefinitions;
    const broken = { ...environments, production: [...(environments.production ?? []), { nats: { servers: 0 } }] };
    const report = check({ ...realDefinitions, environments: broken }, ["staging", "production"]);
    expect(report.unfinished).toEqual(["production"]);
    expect(new Set(report.problems.flatMap((problem) => problem.environments))).toEqual(
      new Set(["production", "staging"]),
    );
    expect(report.problems[0]).toMatchObject({
      code: "E002",
      place: "environments/production.ts: nats.servers",
      environments: ["production"],
    });
  });
});
