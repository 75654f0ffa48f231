/** `circl deploy` against a real control plane whose pods really run. One story: each test goes on where the last one ended. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, nkeyAuthenticator } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DOCUMENTS, PORTS, serviceHost, storeKey } from "../../src/kubernetes/names.ts";
import { inboxPrefix } from "../../src/model/identity.ts";
import { eventually } from "../support/control-plane.ts";
import { bootDeployTarget, CONTEXT, type DeployTarget, model } from "../support/deploy-target.ts";
import { startLoad } from "../support/load.ts";
import { without } from "../support/tools.ts";

interface Item {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation?: number };
  readonly status?: { readonly podIP?: string };
}

const dist = fileURLToPath(new URL("../../dist/production", import.meta.url));
const FIRST = "a".repeat(40);
const SECOND = "b".repeat(40);

describe.skipIf(without("etcd", "kube-apiserver", "nats-server", "tile38-server"))("circl deploy", () => {
  let target: DeployTarget;
  const deploy = (commit: string, ...args: readonly string[]) =>
    target.run("deploy", "--kubectl", CONTEXT, "--auto-approve", "--commit", commit, ...args);
  const diff = (...args: readonly string[]) => target.run("diff", "--kubectl", CONTEXT, ...args);
  const items = async (...what: readonly string[]): Promise<readonly Item[]> => {
    const { items: found, ...one } = JSON.parse(await target.kubectl("get", ...what, "--output=json"));
    return found ?? [one];
  };
  const generations = async () =>
    (await items("--filename", dist)).map(
      ({ kind, metadata }) => `${kind}/${metadata.name}: ${metadata.generation ?? "-"}`,
    );
  const natsPods = () => items("pods", "--namespace=circl-backbone", "--selector=app.kubernetes.io/name=nats");
  const identities = async () => (await natsPods()).map(({ metadata }) => `${metadata.name} ${metadata.uid}`);
  const connectAs = async (identity: string) => {
    const { seed } = JSON.parse(
      target.documents.documents.get(storeKey(model.environment, DOCUMENTS.client(identity))) ?? "{}",
    );
    return await connect({
      servers: (await natsPods()).map(({ status }) => `${status?.podIP}:${PORTS.natsClient}`),
      ignoreClusterUpdates: true,
      authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
      inboxPrefix: inboxPrefix({ name: identity }, model),
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      timeout: 20_000,
      tls: {
        ca: target.documents.documents.get(storeKey(model.environment, DOCUMENTS.trust)) ?? "",
        // Handed on to Node's own tls.connect.
        ...{ servername: serviceHost("nats", model.environment) },
      },
    });
  };
  const publishing = async () => {
    const [oms, dms] = [await connectAs("oms"), await connectAs("dms")];
    const route = { subject: "circl.oms.order.created", stream: "circl_oms", durable: "dms-orders" };
    const load = startLoad(oms, dms, route);
    return {
      stop: async () => {
        const outcome = await load.stop();
        await Promise.all([oms.close(), dms.close()]);
        return outcome;
      },
    };
  };

  beforeAll(async () => {
    target = await bootDeployTarget();
  });
  afterAll(() => target?.[Symbol.asyncDispose]());

  test("brings everything to an empty cluster, verifies it and records it", { timeout: 1_200_000 }, async () => {
    const report = join(target.folder, "report.md");
    const { code, stdout, stderr } = await deploy(FIRST, "--report", report);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("60 to create, 0 to change.");
    expect(stdout).toContain(`${FIRST} is deployed and verified`);
    expect(stderr).toMatch(/ {2}servers: nats: every pod is ready\n.* {2}servers: tile38-leader: every pod is ready\n/);
    expect(stderr).toContain("streams: 17 streams and consumers applied");
    expect(readFileSync(report, "utf8")).toContain("| servers | done |");
  });

  test("does nothing the second time: no object's generation moves", { timeout: 600_000 }, async () => {
    const before = [await generations(), await identities()];
    const { code, stdout, stderr } = await deploy(FIRST);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("No changes. 60 unchanged.");
    expect([await generations(), await identities()]).toEqual(before);
  });

  test("finds drift, and says whose it is instead of taking it back", { timeout: 300_000 }, async () => {
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
    const refused = await deploy(FIRST);
    expect({ code: refused.code, generation: await natsGeneration() }).toEqual({
      code: 3,
      generation: await natsGeneration(),
    });
    expect(refused.stderr).toContain("Nothing was applied.");
    const [live] = await items("statefulset/nats", "--namespace=circl-backbone");
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
  const natsGeneration = async () =>
    (await items("statefulset/nats", "--namespace=circl-backbone"))[0]?.metadata.generation;

  test("a change that a reload takes over replaces no pod", { timeout: 600_000 }, async () => {
    const changed = target.variant("reloads", "30-nats.k8s.yaml", (text) =>
      text.replace("max_payload: 8MiB", "max_payload: 4MiB"),
    );
    const before = await identities();
    const { code, stdout, stderr } = await deploy(SECOND, "--dist", changed);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("nats.conf: max_payload 8MiB -> 4MiB");
    expect(stdout).toContain("reload: the servers take over max_payload as they run.");
    expect(stdout).toContain("Servers reload, no pod is replaced.");
    expect(await identities()).toEqual(before);
    const oms = await connectAs("oms");
    await eventually(
      async () => oms.info?.max_payload,
      (size) => size === 4 * 2 ** 20,
    ).finally(() => oms.close());
  });

  test("a blocked change touches nothing, and says the way out", { timeout: 300_000 }, async () => {
    const blocked = target.variant("blocked", "30-nats.k8s.yaml", (text) =>
      text.replace('name: "circl-production"', 'name: "circl-other"').replace("storage: 50Gi", "storage: 10Gi"),
    );
    const before = await generations();
    const { code, stdout, stderr } = await deploy(SECOND, "--dist", blocked);
    expect({ code, before }).toEqual({ code: 3, before: await generations() });
    expect(stdout).toContain("blocked: claim data 50Gi -> 10Gi: a volume cannot shrink. Take the change back.");
    expect(stdout).toContain("blocked: cluster.name is the servers' identity");
    expect(stderr).toContain("Nothing was applied. What is marked with ! must be settled first.");
  });

  test("a change that takes a restart replaces one server after the other, and no message is lost", {
    timeout: 1_200_000,
  }, async () => {
    const rolling = target.variant("rolls", "30-nats.k8s.yaml", (text) =>
      text
        .replace('lame_duck_grace_period: "10s"', 'lame_duck_grace_period: "9s"')
        .replace(/restart-config: \w+/, "restart-config: other"),
    );
    const before = await identities();
    const load = await publishing();
    const { code, stdout, stderr } = await deploy(FIRST, "--dist", rolling);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("restart: nats-2, then nats-1, then nats-0: each leaves its groups first");
    const replaced = [...stderr.matchAll(/servers: (nats-\d) is replaced, ready and current/g)].map(([, pod]) => pod);
    expect(replaced).toEqual(["nats-2", "nats-1", "nats-0"]);
    expect((await identities()).filter((identity) => before.includes(identity))).toEqual([]);
    const { published, failed, lost } = await load.stop();
    expect({ failed, lost }).toEqual({ failed: [], lost: [] });
    expect(published).toBeGreaterThan(100);
  });

  test("a rollout that never gets ready is rolled back and verified, and no message is lost", {
    timeout: 1_200_000,
  }, async () => {
    const rolls = join(target.folder, "variants/rolls");
    const variant = target.variant("broken", "30-nats.k8s.yaml", (text) =>
      text.replace(
        "- /etc/nats-config/nats.conf\n          command",
        "- /etc/nats-config/nobody.conf\n          command",
      ),
    );
    const load = await publishing();
    const { code, stdout, stderr } = await deploy(
      SECOND,
      "--dist",
      variant,
      "--previous",
      rolls,
      "--rollout-timeout",
      "6m",
    );
    expect(code, stderr).toBe(1);
    expect(stdout).toContain(`${SECOND} FAILED and was rolled back`);
    expect(stdout).toMatch(/nats-2 is not ready: container nats CrashLoopBackOff, \d+ restarts/);
    expect(stdout).toContain(`Commit ${FIRST} is there again, and verified.`);
    expect(await diff("--dist", rolls, "--detailed-exitcode")).toMatchObject({ code: 0 });
    const { failed, lost } = await load.stop();
    expect({ failed, lost }).toEqual({ failed: [], lost: [] });
  });

  test("history tells all of it, newest first", async () => {
    const { stdout } = await target.run("history", "--kubectl", CONTEXT, "--json");
    const runs = (JSON.parse(stdout).deployments as { kind: string; commit: string; result: string }[]).map(
      ({ kind, commit, result }) => `${kind} ${commit[0]} ${result}`,
    );
    expect(runs).toEqual([
      "rollback a done",
      "deploy b failed",
      "deploy a done",
      "deploy b done",
      "deploy a done",
      "deploy a done",
    ]);
    const text = await target.run("history", "--kubectl", CONTEXT);
    expect(text.stdout).toContain("nats-2 is not ready");
  });

  test("volumes grow without a pod that ends, and are not shrunk by a rollback", { timeout: 600_000 }, async () => {
    const rolls = join(target.folder, "variants/rolls");
    const text = readFileSync(join(rolls, "30-nats.k8s.yaml"), "utf8");
    const grown = target.variant("grows", "30-nats.k8s.yaml", () => text.replace("storage: 50Gi", "storage: 60Gi"));
    const before = await identities();
    const { code, stdout, stderr } = await deploy(SECOND, "--dist", grown);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("guided: claim data 50Gi -> 60Gi: volumes grow, and never back.");
    expect(await identities()).toEqual(before);
    const claims = await items(
      "persistentvolumeclaims",
      "--namespace=circl-backbone",
      "--selector=app.kubernetes.io/name=nats",
    );
    expect(claims).toMatchObject(Array(3).fill({ status: { capacity: { storage: "60Gi" } } }));
    const back = await target.run("rollback", "--kubectl", CONTEXT, "--auto-approve", "--previous", rolls);
    expect(back.code).toBe(3);
    expect(back.stdout).toContain("StatefulSet nats: claim data 60Gi -> 50Gi: a volume cannot shrink.");
  });

  test("prunes what is ours, harmless and gone from dist, and lists the rest for a person", {
    timeout: 600_000,
  }, async () => {
    const labels = [
      "app.kubernetes.io/managed-by=circl",
      "app.kubernetes.io/part-of=circl-backbone",
      "circl.dev/environment=production",
    ];
    const namespace = "--namespace=circl-backbone";
    await target.kubectl("create", "configmap", "left-behind", namespace);
    await target.kubectl("label", "configmap", "left-behind", namespace, ...labels);
    await target.kubectl("create", "configmap", "of-others", namespace);
    await target.kubectl("create", "secret", "generic", "left-secret", namespace);
    await target.kubectl("label", "secret", "left-secret", namespace, ...labels);
    const grown = join(target.folder, "variants/grows");
    expect((await deploy(SECOND, "--dist", grown)).stdout).toContain(
      "ConfigMap left-behind in circl-backbone is no longer in dist: --prune deletes it",
    );
    const { code, stdout, stderr } = await deploy(SECOND, "--dist", grown, "--prune");
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("prune: ConfigMap left-behind in circl-backbone is deleted");
    expect(stdout).toContain("Secret left-secret in circl-backbone is no longer in dist, and never deleted by circl");
    const left = (await items("configmaps,secrets", namespace)).map(({ metadata }) => metadata.name);
    expect(left).toEqual(expect.arrayContaining(["of-others", "left-secret", "circl-deploys"]));
    expect(left).not.toContain("left-behind");
  });
});
