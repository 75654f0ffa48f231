/** A deploy whose API server goes away half-way through, and the one after it, which brings everything to its end. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../support/control-plane.ts";
import { bootDeployTarget, CONTEXT, type DeployTarget } from "../../support/deploy-target.ts";
import { cannotBoot } from "../../support/environment.ts";

const COMMIT = "a".repeat(40);

describe.skipIf(cannotBoot())("circl deploy", () => {
  let target: DeployTarget;
  let restarted: ReturnType<typeof spawn> | undefined;
  const isThere = (what: string) =>
    target.kubectl("get", what, "--namespace=circl-backbone").then(
      () => true,
      () => false,
    );

  beforeAll(async () => {
    target = await bootDeployTarget();
  });
  afterAll(async () => {
    restarted?.kill("SIGKILL");
    await target?.[Symbol.asyncDispose]();
  });

  test("stops where the API server goes away for good, and goes on from there when it is back", async () => {
    const first = target.deploy(COMMIT);
    await eventually(() => isThere("externalsecret/nats-auth"), Boolean);
    const server = target.plane.programs.find(({ name }) => name === "kube-apiserver");
    const [path = "", ...args] = readFileSync(`/proc/${server?.pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    const cwd = join(target.plane.kubeconfig, "..");
    await server?.stop();
    const stopped = await first;
    expect(stopped.code).toBe(1);
    expect(stopped.stdout).toContain("Run the same command again: it goes on from there.");

    restarted = spawn("setpriv", ["--pdeathsig", "KILL", "--", path, ...args], { cwd, stdio: "ignore" });
    await eventually(() => isThere("externalsecret/nats-auth"), Boolean);
    // The silent run counts as dead two minutes after its last sign.
    const again = await eventually(
      () => target.deploy(COMMIT),
      ({ stderr }) => !stderr.includes("a deploy of"),
    );
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain(`${COMMIT} is deployed and verified`);
    const left = await target.run("diff", "--kubectl", CONTEXT, "--prune", "--detailed-exitcode");
    expect(left, left.stdout).toMatchObject({ code: 0 });
    const history = await target.run("history", "--kubectl", CONTEXT);
    expect(history.stdout).toMatch(/deploy {2}a{12} {2}done[\s\S]*deploy {2}a{12} {2}not finished/);
  });
});
