/** What a job says where nobody is there yet, and in which order it trusts what it was given. */
import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { workflows } from "../support/workflows.ts";
import { root, temporaryFolder } from "./circl.ts";

const run = promisify(execFile);

interface Recorded {
  readonly commit: string;
  readonly result: string;
  readonly untouched?: true;
}
const recorded = (...deployments: readonly Recorded[]): string => `echo '${JSON.stringify({ deployments })}'`;

/** Lets bin/circl of a folder run a line of shell for each command. */
function stub(folder: string, commands: Readonly<Record<string, string>>): void {
  const cases = Object.entries(commands).map(([name, line]) => `${name}) ${line} ;;`);
  writeFileSync(join(folder, "bin/circl"), `#!/bin/sh\ncase $1 in\n${cases.join("\n")}\nesac\n`);
  chmodSync(join(folder, "bin/circl"), 0o755);
}

function repositoryWith(commands: Readonly<Record<string, string>>) {
  const folder = temporaryFolder();
  mkdirSync(join(folder.path, "bin"));
  cpSync(join(root, ".ci"), join(folder.path, ".ci"), { recursive: true });
  stub(folder.path, commands);
  return folder;
}

describe(".ci/plan", () => {
  test("says that nobody answered, and fails no change for it before the first deploy", async () => {
    using folder = repositoryWith({ plan: 'echo "error: nobody listens" >&2; exit 1', history: recorded() });
    const { stdout } = await run(join(folder.path, ".ci/plan"), ["staging", "gke-staging"]);
    expect(stdout).toMatch(
      /^<!-- circl plan staging -->\n### Streams of staging: not planned, its servers were not asked\n\n {4}error: nobody listens\n\nBefore the first deploy that is as it should be/,
    );
  });

  test("fails where nobody can say whether servers were deployed, and says why", async () => {
    using folder = temporaryFolder();
    const env = { ...process.env, KUBECONFIG: join(folder.path, "none") };
    const ended = run(join(root, ".ci/plan"), ["staging", "gke-staging"], { env });
    await expect(ended).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        / {4}error: .*(gke-staging|kubectl).*\n\n {4}error: kubectl proxy to gke-staging: .*\n(.*\n)*\nWhether staging was deployed cannot be read\.\n$/,
      ),
      stderr: expect.stringContaining("kubectl proxy to gke-staging"),
    });
  });

  test("fails where servers do not answer that were deployed, and says so", async () => {
    using folder = repositoryWith({
      plan: 'echo "error: nobody listens" >&2; exit 1',
      history: recorded({ commit: "abc", result: "done" }),
    });
    const ended = run(join(folder.path, ".ci/plan"), ["staging", "gke-staging"]);
    await expect(ended).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        / {4}error: nobody listens\n\nstaging runs abc, so its servers should have answered\.\n$/,
      ),
    });
  });

  test.each([
    [0, "### the plan"],
    [3, "### the plan"],
    [64, "### the plan"],
  ])("ends with %i where the plan does", async (code, says) => {
    using folder = repositoryWith({ plan: `echo "### the plan"; exit ${code}` });
    const ended = await run(join(folder.path, ".ci/plan"), ["staging", "gke-staging"]).then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stdout }) => ({ code, stdout }),
    );
    expect(ended).toEqual({ code, stdout: `${says}\n` });
  });
});

describe(".ci/forward", () => {
  /** Whether a commit may be deployed whose parent is `old`, where these are recorded, newest first. */
  async function forward(...deployments: readonly Recorded[]): Promise<string> {
    using folder = repositoryWith({});
    const git = async (...args: readonly string[]) =>
      (await run("git", ["-c", "user.name=x", "-c", "user.email=x@x", ...args], { cwd: folder.path })).stdout.trim();
    await git("init", "--quiet");
    const tree = await git("write-tree");
    const old = await git("commit-tree", tree, "-m", "old");
    const commits = {
      old,
      wanted: await git("commit-tree", tree, "-p", old, "-m", "wanted"),
      aside: await git("commit-tree", tree, "-p", old, "-m", "aside"),
    };
    const named = deployments.map((one) => ({ ...one, commit: commits[one.commit as keyof typeof commits] }));
    stub(folder.path, { history: recorded(...named) });
    return await run(join(folder.path, ".ci/forward"), ["staging", "gke-staging", commits.wanted]).then(
      () => "may go",
      ({ stderr }) => stderr.replace(commits.aside, "aside").replace(commits.wanted, "wanted"),
    );
  }
  const old = { commit: "old", result: "done" };
  const aside = { commit: "aside", result: "failed" };

  test("lets a commit go that contains what is there, or where nothing is", async () => {
    expect(await forward(old)).toBe("may go");
    expect(await forward()).toBe("may go");
  });

  test("refuses one that does not contain what was deployed last, though that failed half-way", async () => {
    expect(await forward(aside, old)).toBe(
      "staging has aside, which wanted does not contain: deploy a newer commit, or go back with bin/circl rollback staging\n",
    );
  });

  test("passes over what failed before it wrote anything, and what was put back", async () => {
    expect(await forward({ ...aside, untouched: true }, old)).toBe("may go");
    expect(await forward(old, aside, old)).toBe("may go");
  });
});

test("an artefact is unpacked only once it is known who built it", () => {
  const text = workflows["workflows/deploy-environment.yaml"] ?? "";
  const places = ["gh attestation verify", ".ci/unpack", "log-in", "bin/circl deploy"].map((part) =>
    text.indexOf(part),
  );
  expect(places.every((place) => place > 0)).toBe(true);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});
