/** `circl deploy` against a real control plane whose pods really run. One story: each test goes on where the last one ended. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectionOptions } from "../../src/connect/nats.ts";
import { natsTarget } from "../../src/proof/reach.ts";
import { eventually } from "../support/control-plane.ts";
import {
  bootDeployTarget,
  CONTEXT,
  type DeployTarget,
  itemsOf,
  model,
  natsIdentities,
} from "../support/deploy-target.ts";
import { cannotBoot } from "../support/environment.ts";

const dist = fileURLToPath(new URL("../../dist/production", import.meta.url));
const FIRST = "a".repeat(40);
const SECOND = "b".repeat(40);

describe.skipIf(cannotBoot())("circl deploy", () => {
  let target: DeployTarget;
  const deploy = (commit: string, ...args: readonly string[]) => target.deploy(commit, ...args);
  const diff = (...args: readonly string[]) => target.run("diff", "--kubectl", CONTEXT, ...args);
  const generations = async () =>
    (await itemsOf(target, "--filename", dist)).map(
      ({ kind, metadata }) => `${kind}/${metadata.name}: ${metadata.generation ?? "-"}`,
    );
  const identities = () => natsIdentities(target);
  const connectAs = async (identity: string) => {
    const found = await natsTarget(model, target.nodes.pods(), target.documents, identity, target.folder);
    const stay = { ignoreClusterUpdates: true, maxReconnectAttempts: -1, reconnectTimeWait: 250, timeout: 20_000 };
    return connect({ ...connectionOptions(found), ...stay });
  };
  beforeAll(async () => {
    target = await bootDeployTarget();
  });
  afterAll(() => target?.[Symbol.asyncDispose]());

  test("brings everything to an empty cluster, verifies it and records it", async () => {
    const report = join(target.folder, "report.md");
    const { code, stdout, stderr } = await deploy(FIRST, "--report", report);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("60 to create, 0 to change.");
    expect(stdout).toContain(`${FIRST} is deployed and verified`);
    expect(stderr).toMatch(/ {2}servers: nats: every pod is ready\n.* {2}servers: tile38-leader: every pod is ready\n/);
    expect(stderr).toContain("streams: 17 streams and consumers applied");
    expect(readFileSync(report, "utf8")).toContain("| servers | done |");
  });

  test("does nothing the second time: no object's generation moves", async () => {
    const before = [await generations(), await identities()];
    const { code, stdout, stderr } = await deploy(FIRST);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("No changes. 60 unchanged.");
    expect([await generations(), await identities()]).toEqual(before);
  });

  test("finds drift, and says whose it is instead of taking it back", async () => {
    expect(await diff("--detailed-exitcode")).toMatchObject({ code: 0 });
    await target.kubectl(
      "patch",
      "statefulset/nats",
      "--namespace=circl-backbone",
      "--type=merge",
      '--patch={"spec":{"minReadySeconds":7}}',
    );
    const drift = await diff("--detailed-exitcode");
    expect(drift.stdout).toContain("spec.minReadySeconds 7 -> 30");
    expect(drift.stdout).toContain("owned: spec.minReadySeconds belongs to kubectl-patch");
    expect(drift.code).toBe(3);
    const before = await generations();
    const refused = await deploy(FIRST);
    expect({ code: refused.code, generations: await generations() }).toEqual({ code: 3, generations: before });
    expect(refused.stderr).toContain("Nothing was applied.");
    const [live] = await itemsOf(target, "statefulset/nats", "--namespace=circl-backbone");
    expect(live).toMatchObject({ spec: { minReadySeconds: 7 } });
    await target.kubectl(
      "apply",
      "--server-side",
      "--force-conflicts",
      "--field-manager=circl",
      "--filename",
      join(dist, "30-nats.k8s.yaml"),
    );
    expect(await diff("--detailed-exitcode")).toMatchObject({ code: 0 });
  });

  test("a change that a reload takes over replaces no pod", async () => {
    const changed = target.variant("reloads", "30-nats.k8s.yaml", (text) =>
      text.replace("max_payload: 8MiB", "max_payload: 4MiB"),
    );
    const before = await identities();
    const { code, stdout, stderr } = await deploy(SECOND, "--dist", changed);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("nats.conf: max_payload 8MiB -> 4MiB");
    expect(stdout).toContain("reload: the servers take over max_payload as they run.");
    expect(stdout).toContain("Servers reload, no pod is replaced.");
    expect(stderr).toContain("reload: 3 servers run with the new configuration");
    expect(await identities()).toEqual(before);
    const oms = await connectAs("oms");
    await eventually(
      async () => oms.info?.max_payload,
      (size) => size === 4 * 2 ** 20,
    ).finally(() => oms.close());
  });

  test("a blocked change touches nothing, and says the way out", async () => {
    const blocked = target.variant("blocked", "30-nats.k8s.yaml", (text) =>
      text.replace('name: "circl-production"', 'name: "circl-other"').replace("storage: 50Gi", "storage: 10Gi"),
    );
    const before = await generations();
    const { code, stdout, stderr } = await deploy(SECOND, "--dist", blocked, "--json");
    expect({ code, generations: await generations() }).toEqual({ code: 3, generations: before });
    expect(stderr).toContain("blocked: claim data 50Gi -> 10Gi: a volume cannot shrink. Take the change back.");
    expect(stderr).toContain("blocked: cluster.name is the servers' identity");
    expect(stderr).toContain("Nothing was applied. What is marked with ! must be settled first.");
    expect(JSON.parse(stdout)).toMatchObject({ environment: "production", summary: { blocked: 2 } });
  });
});
