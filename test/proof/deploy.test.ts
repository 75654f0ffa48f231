/** `circl deploy` against a real control plane whose pods really run. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bootDeployTarget, CONTEXT, type DeployTarget } from "../support/deploy-target.ts";
import { without } from "../support/tools.ts";

interface Versioned {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly generation?: number };
}

describe.skipIf(without("etcd", "kube-apiserver", "nats-server", "tile38-server"))("circl deploy", () => {
  let target: DeployTarget;
  const deploy = (...args: readonly string[]) =>
    target.run("deploy", "--kubectl", CONTEXT, "--auto-approve", "--rollout-timeout", "10m", ...args);
  const generations = async () =>
    (
      JSON.parse(await target.kubectl("get", "--filename", "dist/production", "--output=json")).items as Versioned[]
    ).map(({ kind, metadata: { name, generation } }) => `${kind}/${name}: ${generation ?? "-"}`);

  beforeAll(async () => {
    target = await bootDeployTarget();
  });
  afterAll(() => target?.[Symbol.asyncDispose]());

  test("brings everything to an empty cluster, verifies it and records it", { timeout: 900_000 }, async () => {
    const outcome = await deploy("--commit", "a".repeat(40));
    console.log(outcome.stdout.slice(-3000), outcome.stderr);
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toContain(`${"a".repeat(40)} is deployed and verified`);
  });

  test("does nothing the second time: no object's generation moves", { timeout: 900_000 }, async () => {
    const before = await generations();
    const outcome = await deploy("--commit", "a".repeat(40));
    console.log(outcome.stdout.slice(-3000), outcome.stderr);
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toContain("No changes. 59 unchanged.");
    expect(await generations()).toEqual(before);
  });
});
