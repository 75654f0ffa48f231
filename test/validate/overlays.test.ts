/** dist as a base of real overlays, those of docs/gitops.md, and the traps that the page names, each sprung. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { buildApp, writeApp } from "../../src/app.ts";
import type { Manifest } from "../../src/rules/manifests/manifest.ts";
import { modelWith } from "../support/definitions.ts";
import { objectOf } from "../support/manifests.ts";
import { tool, without } from "../support/tools.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "circl-overlays-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Files of the page, by the path in their first line. */
const page = readFileSync(join(root, "docs/gitops.md"), "utf8");
const files = new Map(
  [...page.matchAll(/^```yaml\n# (\S+)\n(.*?)^```$/gms)].map(([, path = "", text = ""]) => [path, text]),
);

/** What kustomize makes of `overlay` of production, or of another base. */
async function build(overlay: object | string, base = "dist/production"): Promise<Manifest[]> {
  const folder = mkdtempSync(join(scratch, "overlays-"));
  const above = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources: [`../${base}`] };
  const text =
    typeof overlay === "string" ? overlay.replace("../../dist", "../dist") : stringify({ ...above, ...overlay });
  writeFileSync(join(folder, "kustomization.yaml"), text);
  const built = await promisify(execFile)(tool("kustomize"), ["build", folder], { maxBuffer: 2 ** 24 });
  return parseAllDocuments(built.stdout).map((document) => document.toJS());
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly resources: { readonly requests: Readonly<Record<string, string>>; readonly limits: object };
}
const containersOf = (objects: readonly Manifest[], name: string): Container[] =>
  objectOf(objects, "StatefulSet", name).spec.template.spec.containers;

describe.skipIf(without("kustomize"))("overlays", () => {
  beforeAll(() => cpSync(join(root, "dist"), join(scratch, "dist"), { recursive: true }));

  test("the page's overlay changes what it says, and nothing else", async () => {
    const before = await build({});
    const after = await build(files.get("overlays/mirror/kustomization.yaml") ?? "");
    const [nats, ...others] = containersOf(after, "nats");
    expect(nats).toMatchObject({ name: "nats", image: "europe-docker.pkg.dev/circl/mirror/nats:2.14.9-alpine" });
    const { requests, limits } = containersOf(before, "nats")[0]?.resources ?? {};
    expect(nats?.resources).toEqual({ requests: { ...requests, cpu: "3" }, limits });
    expect(others).toEqual(
      containersOf(before, "nats")
        .slice(1)
        .map((one) => ({
          ...one,
          image: one.image.replace("docker.io/nats:", "europe-docker.pkg.dev/circl/mirror/nats:"),
        })),
    );
    expect(containersOf(after, "tile38-leader")[0]?.image).toBe("docker.io/tile38/tile38:1.37.1");
    const labels = objectOf(after, "Namespace", "circl-backbone").metadata.labels;
    expect(labels).toEqual({ ...objectOf(before, "Namespace", "circl-backbone").metadata.labels, team: "platform" });
    const [endpoint] = objectOf(after, "ServiceMonitor", "nats").spec.endpoints;
    expect(endpoint).toEqual({ ...objectOf(before, "ServiceMonitor", "nats").spec.endpoints[0], interval: "15s" });
    const touched = ["StatefulSet", "CronJob", "Namespace", "ServiceMonitor"];
    const rest = (objects: readonly Manifest[]) => objects.filter(({ kind }) => !touched.includes(kind));
    expect(rest(after)).toEqual(rest(before));
  });

  test("newTag drops a digest", async () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    const model = modelWith({ environment: { images: { tile38: { digest } } } });
    writeApp(buildApp(model, join(scratch, "pinned")));
    const image = async (overlay: object) =>
      containersOf(
        await build({ images: [{ name: "docker.io/tile38/tile38", ...overlay }] }, "pinned"),
        "tile38-leader",
      )[0]?.image;
    expect(await image({})).toBe(`docker.io/tile38/tile38:1.37.0@${digest}`);
    expect(await image({ newTag: "1.37.1" })).toBe("docker.io/tile38/tile38:1.37.1");
    expect(await image({ newTag: "1.37.1", digest })).toBe(`docker.io/tile38/tile38:1.37.1@${digest}`);
  });

  test("a strategic merge on a custom resource replaces its lists", async () => {
    const monitor = { apiVersion: "monitoring.coreos.com/v1", kind: "ServiceMonitor", metadata: { name: "nats" } };
    const patch = stringify({ ...monitor, spec: { endpoints: [{ interval: "15s" }] } });
    const objects = await build({ patches: [{ target: { kind: "ServiceMonitor", name: "nats" }, patch }] });
    expect(objectOf(objects, "ServiceMonitor", "nats").spec.endpoints).toEqual([{ interval: "15s" }]);
  });

  test("namespace is refused while clients have objects in theirs, and otherwise moves no host", async () => {
    await expect(build({ namespace: "elsewhere" })).rejects.toMatchObject({
      stderr: expect.stringContaining("namespace transformation produces ID conflict"),
    });
    cpSync(join(root, "dist/production"), join(scratch, "servers"), { recursive: true });
    const base = parse(readFileSync(join(scratch, "servers/Kustomization"), "utf8"));
    const resources = base.resources.filter((file: string) => file !== "60-clients.k8s.yaml");
    writeFileSync(join(scratch, "servers/Kustomization"), stringify({ ...base, resources }));
    const objects = await build({ namespace: "elsewhere" }, "servers");
    expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set([undefined, "elsewhere"]));
    const conf = objectOf(objects, "ConfigMap", "nats-config").data?.["nats.conf"];
    expect(conf).toContain("nats-0.nats-headless.circl-backbone.svc.cluster.local");
    expect(objectOf(objects, "Certificate", "nats-route-tls").spec.dnsNames.join()).not.toContain("elsewhere");
  });

  test("namePrefix renames what owns volumes, and no host or Secret that others make", async () => {
    const objects = await build({ namePrefix: "a-" });
    const set = objectOf(objects, "StatefulSet", "a-nats");
    expect(objectOf(objects, "ConfigMap", "a-nats-config").data?.["nats.conf"]).toContain("nats-0.nats-headless.");
    expect(objectOf(objects, "ExternalSecret", "a-nats-auth").spec.target.name).toBe("nats-auth");
    expect(set.spec.serviceName).toBe("a-nats-headless");
  });
});

describe("what controllers are given", () => {
  test("names a folder of dist, and none of the options that delete", () => {
    const application = parse(files.get("applications/production.yaml") ?? "");
    const flux = parse(files.get("clusters/production/circl-backbone.yaml") ?? "");
    for (const path of [application.spec.source.path, flux.spec.path]) {
      expect(readFileSync(join(root, path, "Kustomization"), "utf8")).toContain("30-nats.k8s.yaml");
    }
    expect(JSON.stringify([application, flux])).not.toMatch(/Replace=true|Force=true|"force":true/);
  });
});
