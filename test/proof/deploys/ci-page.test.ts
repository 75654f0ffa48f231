/** The steps of docs/ci.md that deploy, typed as they stand, against a real control plane whose pods really run. */
import { execFile } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../cli/circl.ts";
import { checkoutAs, personAtGit } from "../../support/checkout.ts";
import { blocksThatRun } from "../../support/ci-page.ts";
import { bootDeployTarget, type DeployTarget } from "../../support/deploy-target.ts";
import { cannotBoot } from "../../support/environment.ts";

describe.skipIf(cannotBoot())("docs/ci.md", () => {
  let target: DeployTarget;
  let clone: string;
  const shell = (script: string) =>
    promisify(execFile)("bash", ["-euo", "pipefail", "-c", script], {
      cwd: clone,
      // The packages of this checkout were fetched once: what drift installs need not come from a registry again.
      env: { ...personAtGit, ...target.env, npm_config_prefer_offline: "true" },
      maxBuffer: 2 ** 24,
    });

  beforeAll(async () => {
    target = await bootDeployTarget();
    clone = join(target.folder, "clone");
    checkoutAs(clone);
    symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
  });
  afterAll(() => target?.[Symbol.asyncDispose]());

  test("deploys production, and then nothing is left to change", async () => {
    const [block = "", ...more] = blocksThatRun("with a cluster");
    expect(more).toEqual([]);
    const { stdout } = await shell(block);
    const commit = (await shell("git rev-parse HEAD")).stdout.trim();
    expect(stdout).toContain(`${commit} is deployed and verified`);
    expect(stdout).toContain("0 problems.");
    expect((await shell(".ci/deployed production gke-production")).stdout.trim()).toBe(commit);
    expect(stdout).toContain(`### production against what was deployed from ${commit}`);
  });

  test("lets a newer commit go forward, and no other", async () => {
    await shell("git commit --quiet --allow-empty --message newer");
    await shell(".ci/forward production gke-production HEAD");
    await expect(
      shell('.ci/forward production gke-production "$(git commit-tree HEAD^{tree} -m elsewhere)"'),
    ).rejects.toMatchObject({
      stderr: expect.stringContaining("deploy a newer commit, or go back with bin/circl rollback"),
    });
  });

  test("finds by night what somebody has changed by day", async () => {
    await target.kubectl("--namespace=circl-backbone", "scale", "statefulset/tile38-follower", "--replicas=1");
    await expect(shell('export CIRCL_TLS_CA="$PWD/ca.crt"; .ci/drift production gke-production')).rejects.toMatchObject(
      {
        code: 3,
        stdout: expect.stringContaining("tile38-follower"),
      },
    );
  });
});
