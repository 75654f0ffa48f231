/** Where `circl deploy` stops: before the first write, or half-way through with an API server that goes away. No pod runs here. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { circl } from "../cli/circl.ts";
import { eventually } from "../support/control-plane.ts";
import { bootDeployTarget, CONTEXT, type DeployTarget } from "../support/deploy-target.ts";
import { storageClass } from "../support/nodes.ts";
import { without } from "../support/tools.ts";

const COMMIT = "a".repeat(40);

describe.skipIf(without("etcd", "kube-apiserver"))("circl deploy", () => {
  let target: DeployTarget;
  const deploy = (...args: readonly string[]) =>
    target.run("deploy", "--kubectl", CONTEXT, "--auto-approve", "--commit", COMMIT, ...args);
  const isThere = (what: string) =>
    target.kubectl("get", what, "--namespace=circl-backbone").then(
      () => true,
      () => false,
    );
  let restarted: ReturnType<typeof spawn> | undefined;

  beforeAll(async () => {
    target = await bootDeployTarget({ withNodes: false });
  });
  afterAll(async () => {
    restarted?.kill("SIGKILL");
    await target?.[Symbol.asyncDispose]();
  });

  test("says everything that is missing at once, and applies nothing", async () => {
    await target.kubectl("delete", "crd", "certificates.cert-manager.io");
    await target.kubectl("delete", "namespace", "circl");
    const { code, stderr } = await deploy();
    expect(code).toBe(1);
    for (const problem of [
      "! the cluster does not know Certificate (cert-manager.io/v1)\n  way out: Install cert-manager with its CRDs.",
      "! there is no namespace circl\n  way out: It is not ours: kubectl create namespace circl",
      "! claim data of nats wants the storage class premium-rwo, and there is none",
    ]) {
      expect(stderr).toContain(problem);
    }
    expect(stderr).toContain("Nothing was applied: 4 problems.");
    expect(await isThere("namespace/circl-backbone")).toBe(false);
    const { crdFiles } = await import("../../tools/build.js");
    await target.kubectl("apply", "--server-side", ...crdFiles().flatMap((file: string) => ["--filename", file]));
    await target.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=180s");
    await target.kubectl("create", "namespace", "circl");
    await target.plane.kubectl(["create", "--filename=-"], storageClass("premium-rwo"));
  });

  test("names the rights that whoever deploys lacks", async () => {
    await target.kubectl("create", "serviceaccount", "intern");
    await target.kubectl(
      "create",
      "clusterrolebinding",
      "intern",
      "--clusterrole=view",
      "--serviceaccount=default:intern",
    );
    const token = (await target.kubectl("create", "token", "intern")).trim();
    const config = JSON.parse(readFileSync(target.env.KUBECONFIG ?? "", "utf8"));
    const kubeconfig = join(target.folder, "intern");
    writeFileSync(kubeconfig, JSON.stringify({ ...config, users: [{ ...config.users[0], user: { token } }] }));
    const { code, stderr } = await circl(["deploy", "production", "--kubectl", CONTEXT, "--commit", COMMIT], {
      env: { ...target.env, KUBECONFIG: kubeconfig },
    });
    expect(code).toBe(1);
    expect(stderr).toContain("! you may not create, patch, delete StatefulSet in circl-backbone");
    expect(stderr).toContain("! you may not create Pod/portforward in circl-backbone");
    expect(stderr).not.toContain("Secret in");
  });

  test("leaves a cluster alone whose namespace is another environment's", async () => {
    await target.kubectl("create", "namespace", "circl-backbone");
    await target.kubectl("label", "namespace", "circl-backbone", "circl.dev/environment=staging");
    const { code, stderr } = await deploy();
    expect(code).toBe(1);
    expect(stderr).toContain("! namespace circl-backbone belongs to the environment staging, not to production");
    await target.kubectl("delete", "namespace", "circl-backbone");
  });

  test("stops where the API server goes away for good, and goes on from there when it is back", {
    timeout: 900_000,
  }, async () => {
    const first = deploy();
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
    target.operate();
    // The silent run counts as dead two minutes after its last sign.
    const again = await eventually(
      () => deploy("--rollout-timeout", "5s"),
      ({ stderr }) => !stderr.includes("a deploy of"),
    );
    expect(again.stderr).toContain("configuration and services: 10 objects applied");
    expect(again.code).toBe(1);
    expect(again.stdout).toContain("nats-0 is not ready: no nodes available to schedule pods");
    expect(again.stdout).toContain("Nothing is rolled back: nothing was deployed before. Mend it and deploy again.");
    const left = await target.run("diff", "--kubectl", CONTEXT, "--json");
    // Two StatefulSets, monitoring, dashboards and the CronJob come after the servers.
    expect(JSON.parse(left.stdout).summary).toMatchObject({ create: 11, update: 0, blocked: 0 });
    const history = await target.run("history", "--kubectl", CONTEXT);
    expect(history.stdout).toMatch(/deploy {2}a{12} {2}failed[\s\S]*deploy {2}a{12} {2}not finished/);
  });
});
