import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { circl, root } from "./circl.ts";

test("help starts with an example, names exit codes and variables", async () => {
  const { code, stdout } = await circl(["--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Example:\n {2}circl check && circl synth/);
  for (const line of [
    "0    done, or no changes",
    "1    problems found, or it failed",
    "2    changes present (only with --detailed-exitcode)",
    "3    blocked, or approval needed",
    "64   wrong usage",
    "130  interrupted",
  ]) {
    expect(stdout).toContain(line);
  }
  for (const variable of ["CDK8S_OUTDIR", "NO_COLOR", "FORCE_COLOR"]) expect(stdout).toMatch(`\n  ${variable} `);
});

test.each([[], ["check"], ["explain"], ["show"], ["access"], ["synth"]])(
  "help of `circl %s` fits 80 columns",
  async (...command) => {
    const { code, stdout } = await circl([...command, "--help"]);
    expect(code).toBe(0);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  },
);

test("--version is that of package.json", async () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  expect(await circl(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});

test.each([
  [["chekc"], "error: unknown command 'chekc'\n(Did you mean check?)\nUsage: circl <command> [options]\n"],
  [
    ["check", "--jsn"],
    "error: unknown option '--jsn'\n(Did you mean --json?)\nUsage: circl check [options] [environments...]\n",
  ],
  [["show"], "error: missing required argument 'environment'\nUsage: circl show [options] <environment>\n"],
  [
    ["check", "stagin"],
    'error: there is no environment "stagin" (Did you mean staging?). There are: staging, production, local\n' +
      "Usage: circl check [options] [environments...]\n",
  ],
  [
    ["synth", "qa"],
    'error: there is no environment "qa". There are: staging, production, local\nUsage: circl synth [options] [environments...]\n',
  ],
  [
    ["explain", "S001x"],
    'error: there is no rule "S001X" (Did you mean S001?). `circl explain` lists all.\nUsage: circl explain [options] [codes...]\n',
  ],
  [["explain", "--all", "S001"], "error: give codes or --all, not both\nUsage: circl explain [options] [codes...]\n"],
])("wrong usage %j exits with 64 and says what would be right", async (args, stderr) => {
  expect(await circl(args)).toEqual({ code: 64, stdout: "", stderr });
});

test("without a command it says what there is", async () => {
  const { code, stdout, stderr } = await circl([]);
  expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
  expect(stderr).toContain("Usage: circl <command> [options]");
});
