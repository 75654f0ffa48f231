/** What programs that we did not write say about dist. */
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { buildApp, writeApp } from "../../src/app.ts";
import { crdFiles } from "../../tools/build.js";
import { modelWith } from "../support/definitions.ts";
import { tool, without } from "../support/tools.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = (environment: string): string => join(root, "dist", environment);
const ENVIRONMENTS = ["staging", "production", "local"] as const;
const scratch = mkdtempSync(join(tmpdir(), "circl-validate-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Kubernetes versions: the oldest that we promise, and the newest that kubectl-validate v0.0.4 embeds. */
const VERSIONS = ["1.28", "1.30"] as const;

describe.skipIf(without("kubectl-validate"))("kubectl-validate", () => {
  const crds = join(scratch, "crds");
  const validate = (path: string, version: string) =>
    run(tool("kubectl-validate"), [path, "--local-crds", crds, "--version", version]);

  beforeAll(async () => {
    await import("node:fs/promises").then(({ mkdir }) => mkdir(crds));
    for (const file of crdFiles()) copyFileSync(file, join(crds, basename(file)));
  });

  test.each(ENVIRONMENTS.flatMap((environment) => VERSIONS.map((version) => [environment, version] as const)))(
    "accepts %s on Kubernetes %s",
    async (environment, version) => {
      const { stdout } = await validate(dist(environment), version);
      const files = readdirSync(dist(environment)).filter((file) => file.endsWith(".yaml"));
      expect(stdout.match(/OK/g) ?? []).toHaveLength(files.length);
    },
  );

  test("accepts what the Grafana operator gets, where an environment asks for it", async () => {
    const folder = join(scratch, "grafana-operator");
    const model = modelWith({ environment: { monitoring: { grafana: { operator: "grafana-operator" } } } });
    writeApp(buildApp(model, folder));
    const file = join(folder, "55-dashboards.k8s.yaml");
    expect((await validate(file, "1.30")).stdout).toContain("OK");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("configMapRef:", "configMap:"));
    await expect(validate(file, "1.30")).rejects.toMatchObject({ stderr: expect.stringContaining("configMap") });
  });

  test("refuses what is wrong, so its silence means something", async () => {
    const file = join(scratch, "wrong.yaml");
    const monitoring = readFileSync(join(dist("production"), "50-monitoring.k8s.yaml"), "utf8");
    expect(monitoring).toContain("port: metrics");
    writeFileSync(file, monitoring.replace("port: metrics", "prot: metrics"));
    await expect(validate(file, "1.30")).rejects.toMatchObject({ stderr: expect.stringContaining("prot") });
  });
});

describe.skipIf(without("kube-linter"))("kube-linter", () => {
  const lint = (path: string) =>
    run(tool("kube-linter"), ["lint", path, "--config", join(root, "test/validate/kube-linter.yaml")]);

  test.each(ENVIRONMENTS)("finds nothing in %s", async (environment) => {
    const { stdout } = await lint(dist(environment));
    expect(stdout).toContain("No lint errors found!");
  });

  test("finds a container that may write its root file system", async () => {
    const file = join(scratch, "30-nats.k8s.yaml");
    const nats = readFileSync(join(dist("production"), "30-nats.k8s.yaml"), "utf8");
    writeFileSync(file, nats.replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"));
    await expect(lint(file)).rejects.toMatchObject({ stdout: expect.stringContaining("no-read-only-root-fs") });
  });

  test("every switched-off check has a reason", () => {
    const text = readFileSync(join(root, "test/validate/kube-linter.yaml"), "utf8");
    const lines = text.slice(text.indexOf("exclude:")).split("\n").slice(1);
    lines.forEach((line, i) => {
      if (line.trim().startsWith("- ")) expect(lines[i - 1]).toMatch(/^ {4}(#|- )/);
    });
    expect(lines[0]).toMatch(/#/);
  });
});

describe.skipIf(without("kustomize"))("kustomize", () => {
  test.each(ENVIRONMENTS)("takes %s as a base, object for object", async (environment) => {
    const overlay = join(root, "dist", environment);
    const { stdout } = await run(tool("kustomize"), ["build", overlay], { maxBuffer: 16 * 1024 * 1024 });
    const kinds = (text: string) =>
      text
        .split(/^---$/m)
        .map((document) => parse(document)?.kind)
        .filter(Boolean)
        .sort();
    const files = readdirSync(overlay).filter((file) => file.endsWith(".yaml"));
    expect(kinds(stdout)).toEqual(files.flatMap((file) => kinds(readFileSync(join(overlay, file), "utf8"))).sort());
  });
});
