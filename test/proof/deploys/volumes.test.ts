/** Volumes that grow, and objects that dist has no more: what a deploy changes without replacing a pod, and cannot undo. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp, writeApp } from "../../../src/app.ts";
import { resolveModel } from "../../../src/model/resolve.ts";
import { startLoad } from "../../../src/proof/load/load.ts";
import { root } from "../../cli/circl.ts";
import { realDefinitions } from "../../support/definitions.ts";
import { bootDeployTarget, CONTEXT, type DeployTarget, itemsOf, model } from "../../support/deploy-target.ts";
import { cannotBoot } from "../../support/environment.ts";

/** dist/production as synth writes it where somebody gives the servers larger volumes. */
function synthesized(size: `${number}GiB`, folder: string): string {
  const { production } = realDefinitions.environments;
  const environments = {
    ...realDefinitions.environments,
    production: [...(production ?? []), { nats: { volume: { size } } }],
  };
  const { model: larger } = resolveModel("production", { ...realDefinitions, environments });
  if (!larger) throw new Error("the definitions have faults");
  writeApp(buildApp(larger, folder));
  return folder;
}

const FIRST = "a".repeat(40);
const SECOND = "b".repeat(40);
const NAMESPACE = "--namespace=circl-backbone";

describe.skipIf(cannotBoot())("circl deploy", () => {
  let target: DeployTarget;
  let grown: string;

  beforeAll(async () => {
    target = await bootDeployTarget();
    grown = synthesized("60GiB", join(target.folder, "grown"));
    const { code, stderr } = await target.deploy(FIRST);
    expect(code, stderr).toBe(0);
  });
  afterAll(() => target?.[Symbol.asyncDispose]());

  test("volumes grow, the servers that get more of them go one by one, and a rollback shrinks nothing", async () => {
    const load = await startLoad(target, model, root, 20);
    const { code, stdout, stderr } = await target.deploy(SECOND, "--dist", grown);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("guided: claim data 50Gi -> 60Gi: volumes grow, and never back.");
    const said = [...stderr.matchAll(/servers: (nats: volumes have grown|nats-\d is replaced)/g)].map(
      ([, what]) => what,
    );
    expect(said).toEqual([
      "nats: volumes have grown",
      "nats-2 is replaced",
      "nats-1 is replaced",
      "nats-0 is replaced",
    ]);
    await load.more(100);
    expect(await load.stop()).toMatchObject({ unconfirmed: 0, lost: 0, duplicated: 0 });
    const claims = await itemsOf(target, "persistentvolumeclaims", NAMESPACE, "--selector=app.kubernetes.io/name=nats");
    expect(claims).toMatchObject(Array(3).fill({ status: { capacity: { storage: "60Gi" } } }));
    const previous = join(root, "dist/production");
    const back = await target.run("rollback", "--kubectl", CONTEXT, "--auto-approve", "--previous", previous);
    expect(back.code).toBe(3);
    expect(back.stdout).toContain("blocked: claim data 60Gi -> 50Gi: a volume cannot shrink.");
  });

  test("prunes what is ours, harmless and gone from dist, and lists the rest for a person", async () => {
    const labels = [
      "app.kubernetes.io/managed-by=circl",
      "app.kubernetes.io/part-of=circl-backbone",
      "circl.dev/environment=production",
    ];
    await target.kubectl("create", "configmap", "left-behind", NAMESPACE);
    await target.kubectl("label", "configmap", "left-behind", NAMESPACE, ...labels);
    await target.kubectl("create", "configmap", "of-others", NAMESPACE);
    await target.kubectl("create", "secret", "generic", "left-secret", NAMESPACE);
    await target.kubectl("label", "secret", "left-secret", NAMESPACE, ...labels);
    expect((await target.deploy(SECOND, "--dist", grown)).stdout).toContain(
      "ConfigMap left-behind in circl-backbone is no longer in dist: --prune deletes it",
    );
    const { code, stdout, stderr } = await target.deploy(SECOND, "--dist", grown, "--prune", "--json");
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("prune: ConfigMap left-behind in circl-backbone is deleted");
    expect(JSON.parse(stdout)).toMatchObject({
      environment: "production",
      kind: "deploy",
      commit: SECOND,
      result: "done",
      steps: expect.arrayContaining([
        expect.objectContaining({ name: "prune", says: ["ConfigMap left-behind in circl-backbone is deleted"] }),
      ]),
      says: [
        expect.stringMatching(
          /^Secret left-secret in circl-backbone is no longer in dist, and never deleted by circl: decide/,
        ),
      ],
      diff: { summary: { update: 0, create: 0, blocked: 0 } },
    });
    const left = (await itemsOf(target, "configmaps,secrets", NAMESPACE)).map(({ metadata }) => metadata.name);
    expect(left).toEqual(expect.arrayContaining(["of-others", "left-secret", "circl-deploys"]));
    expect(left).not.toContain("left-behind");
  });
});
