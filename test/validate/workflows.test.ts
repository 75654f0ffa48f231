/** The workflows as actionlint and shellcheck read them, and what neither of them looks for. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { tool, without } from "../support/tools.ts";
import { faultsOfWorkflow, workflows } from "../support/workflows.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "circl-workflows-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const ending = (text: string): { stdout: unknown } => ({ stdout: expect.stringContaining(text) });

describe.skipIf(without("actionlint", "shellcheck"))("actionlint", () => {
  const lint = (folder: string, ...files: string[]) =>
    run(tool("actionlint"), ["-no-color", "-shellcheck", tool("shellcheck"), ...files], { cwd: folder });

  test("finds nothing in the workflows, their actions and their scripts", async () => {
    expect((await lint(root)).stdout).toBe("");
  });

  test.each([
    ["an input that an action does not have", "with:\n          nothing: x", 'input "nothing" is not defined'],
    ["a word that a shell would split", "env:\n          A: a b\n        run: cp $A there", "SC2086"],
    ["a branch name in a script", `run: echo "\${{ github.head_ref }}"`, '"github.head_ref" is potentially untrusted'],
  ])("finds %s, so its silence means something", async (_, step, says) => {
    mkdirSync(join(scratch, ".github/workflows"), { recursive: true });
    const file = join(scratch, ".github/workflows/wrong.yaml");
    const uses = step.startsWith("with") ? "uses: actions/checkout@v4\n        " : "";
    writeFileSync(
      file,
      `on: pull_request\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n      - name: x\n        ${uses}${step}\n`,
    );
    await expect(lint(scratch, file)).rejects.toMatchObject(ending(says));
  });
});

describe.skipIf(without("shellcheck"))("shellcheck", () => {
  const files = readdirSync(join(root, ".ci"));

  test.each(files)("finds nothing in .ci/%s", async (file) => {
    expect((await run(tool("shellcheck"), [join(root, ".ci", file)])).stdout).toBe("");
  });
});

describe("every workflow and action", () => {
  test("is there", () => {
    expect(Object.keys(workflows).sort()).toEqual([
      "actions/log-in/action.yml",
      "workflows/check.yaml",
      "workflows/comment.yaml",
      "workflows/deploy-environment.yaml",
      "workflows/deploy.yaml",
      "workflows/drift.yaml",
      "workflows/preview-environment.yaml",
      "workflows/pull-request.yaml",
    ]);
  });

  test.each(Object.entries(workflows))(
    "%s is pinned, has least rights, and puts nothing foreign into scripts",
    (_, text) => {
      expect(faultsOfWorkflow(text)).toEqual([]);
    },
  );
});

const sha = "3d3c42e5aac5ba805825da76410c181273ba90b1";
const checkout = `actions/checkout@${sha} # v7.0.1`;

/** A workflow without a fault, changed in one place. */
const changed = (from: string, to: string): string => {
  const sound = `on: pull_request
permissions: {}
jobs:
  one:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: ${checkout}
        with:
          persist-credentials: false
      - run: echo "$TITLE"
`;
  expect(faultsOfWorkflow(sound)).toEqual([]);
  expect(sound).toContain(from);
  return sound.replace(from, to);
};

test.each([
  ["on: pull_request", "on: pull_request_target", "pull_request_target runs a fork's pull request with our rights"],
  [
    "on: pull_request",
    "on: {pull_request_target: {}}",
    "pull_request_target runs a fork's pull request with our rights",
  ],
  ["permissions: {}\n", "", "the workflow itself has permissions, or does not say {}"],
  ["permissions: {}\n", "permissions: write-all\n", "the workflow itself has permissions, or does not say {}"],
  ["    permissions:\n      contents: read\n", "", "one: no permissions of its own"],
  ["    permissions:\n      contents: read\n", "    permissions: write-all\n", "one: no permissions of its own"],
  ["    timeout-minutes: 5\n", "", "one: no timeout"],
  [`@${sha} # v7.0.1`, "@v7", "actions/checkout@v7 is not pinned to a commit"],
  [`@${sha} # v7.0.1`, "@3d3c42e", "actions/checkout@3d3c42e is not pinned to a commit"],
  [" # v7.0.1", " # v7", `actions/checkout@${sha} does not say its version`],
  ["persist-credentials: false", "fetch-depth: 0", "a checkout leaves its token in .git"],
  [
    "persist-credentials: false",
    "persist-credentials: false\n          allow-unsafe-pr-checkout: true",
    "a checkout takes a fork's code with our rights",
  ],
  [
    "$TITLE",
    `\${{ github.event.pull_request.title }}`,
    `\${{ github.event.pull_request.title }} becomes part of a script`,
  ],
])("%j as %j is found", (from, to, fault) => {
  expect(faultsOfWorkflow(changed(from, to))).toContain(fault);
});
