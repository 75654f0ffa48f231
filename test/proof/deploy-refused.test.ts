/** Where `circl deploy` stops before the first write. No pod runs here. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openCluster } from "../../src/connect/cluster.ts";
import { openJournal, readRecord } from "../../src/deploy/journal.ts";
import { circl, runProgram } from "../cli/circl.ts";
import { bootDeployTarget, CONTEXT, type DeployTarget } from "../support/deploy-target.ts";
import { storageClass } from "../support/nodes.ts";
import { without } from "../support/tools.ts";

const COMMIT = "a".repeat(40);

describe.skipIf(without("etcd", "kube-apiserver"))("circl deploy", () => {
  let target: DeployTarget;
  const isThere = (what: string) =>
    target.kubectl("get", what, "--namespace=circl-backbone").then(
      () => true,
      () => false,
    );
  beforeAll(async () => {
    target = await bootDeployTarget({ withNodes: false });
  });
  afterAll(() => target?.[Symbol.asyncDispose]());

  test("says everything that is missing at once, and applies nothing", async () => {
    await target.kubectl("delete", "crd", "certificates.cert-manager.io");
    await target.kubectl("delete", "namespace", "circl");
    const { code, stderr } = await target.deploy(COMMIT);
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
    // Nobody needs to read or write Secrets; ExternalSecrets are something else.
    expect(stderr).not.toMatch(/ Secret in/);
  });

  test("leaves a cluster alone whose namespace is another environment's", async () => {
    await target.kubectl("create", "namespace", "circl-backbone");
    await target.kubectl("label", "namespace", "circl-backbone", "circl.dev/environment=staging");
    const { code, stderr } = await target.deploy(COMMIT);
    expect(code).toBe(1);
    expect(stderr).toContain("! namespace circl-backbone belongs to the environment staging, not to production");
    await target.kubectl("delete", "namespace", "circl-backbone");
  });

  test("says how to give the record back that somebody has edited, and that does it", async () => {
    for (const name of ["PATH", "KUBECONFIG"]) vi.stubEnv(name, target.env[name]);
    try {
      await using cluster = await openCluster(CONTEXT);
      const open = () =>
        openJournal(cluster, "default", { kind: "deploy", commit: COMMIT, digest: "of it", who: "alice" });
      await (await open()).close({ result: "done" });
      const edit = JSON.stringify({ data: { "deploys.json": "[]" } });
      const editing = ["--namespace=default", "--type=merge", "--field-manager=kubectl-edit", `--patch=${edit}`];
      await target.kubectl("patch", "configmap/circl-deploys", ...editing);
      const said = await open().then(
        () => "written",
        ({ message }: Error) => message,
      );
      expect(said).toMatch(/^ConfigMap circl-deploys was not written: .*deploys\.json belongs to kubectl-edit/);
      const line = said.split("To give it back: ")[1] ?? "";
      expect(await runProgram("sh", ["-c", line], { env: target.env })).toMatchObject({ code: 0 });
      await (await open()).close({ result: "done" });
      expect(await readRecord(cluster, "default")).toMatchObject([{ commit: COMMIT, result: "done" }]);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
