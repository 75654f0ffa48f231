/** What the old system left open, held against dist as it is committed, file by file, and against what else an environment may choose. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { type Manifest, ofKind, podsOf, selects } from "../../src/rules/manifests/manifest.ts";
import { modelWith, realModel } from "../support/definitions.ts";
import { objectOf, objectsOf } from "../support/manifests.ts";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));

const committed = (environment: string): Manifest[] =>
  readdirSync(join(dist, environment))
    .filter((file) => file.endsWith(".k8s.yaml"))
    .flatMap((file) => parseAllDocuments(readFileSync(join(dist, environment, file), "utf8")))
    .map((document) => document.toJS() as Manifest);

/** Every variable of every container, wherever in an object it stands: kinds that come later are searched as well. */
function variablesOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { image, env, envFrom } = value as Readonly<Record<string, unknown>>;
  const own = [env, envFrom].flatMap((list) => (Array.isArray(list) ? list : []));
  const said = own.map(({ name, value: text, ...from }) =>
    text === undefined ? `${name ?? "all"} from ${JSON.stringify(from)}` : `${name}=${text}`,
  );
  return [...(typeof image === "string" ? said : []), ...Object.values(value).flatMap(variablesOf)];
}

/** All that any container may have. */
const VARIABLES = [
  /^POD_NAME from \{"valueFrom":\{"fieldRef":\{"fieldPath":"metadata\.name"\}\}\}$/,
  /^SERVER_NAME=circl-(local|staging|production)-\$\(POD_NAME\)$/,
  /^GOMEMLIMIT=\d+MiB$/,
  /^GOMAXPROCS=\d$/,
];
const others = (objects: readonly Manifest[]): string[] =>
  variablesOf(objects).filter((variable) => !VARIABLES.some((known) => known.test(variable)));

describe.each(["staging", "production", "local"] as const)("dist/%s", (name) => {
  const objects = committed(name);

  test("has no secret in a variable of any container, and no Secret", () => {
    expect(variablesOf(objects)).toHaveLength(7);
    expect(others(objects)).toEqual([]);
    expect(ofKind(objects, "Secret")).toEqual([]);
  });

  test("offers these ports inside the cluster and nothing outside: the monitoring port is in no Service", () => {
    const ports = ofKind(objects, "Service").map(({ metadata, spec }) => [
      metadata.name,
      spec.type ?? "ClusterIP",
      ...spec.ports.map(({ port }: { port: number }) => port),
    ]);
    expect(ports).toEqual([
      ["nats", "ClusterIP", 4222],
      ["nats-headless", "ClusterIP", 4222, 6222],
      ["nats-metrics", "ClusterIP", 7777],
      ["tile38", "ClusterIP", 9851],
      ["tile38-read", "ClusterIP", 9851],
      ["tile38-leader-headless", "ClusterIP", 9851],
      ["tile38-follower-headless", "ClusterIP", 9851],
      ["tile38-metrics", "ClusterIP", 4321],
    ]);
    expect(ofKind(objects, "Ingress", "Gateway", "HTTPRoute")).toEqual([]);
  });

  test("denies by default, and lets nobody in without saying who and where", () => {
    const denied = objectOf(objects, "NetworkPolicy", "default-deny");
    expect(denied.metadata.namespace).toBe("circl-backbone");
    expect(denied.spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    const policies = ofKind(objects, "NetworkPolicy").filter((policy) => policy !== denied);
    const rules = policies.flatMap(({ spec }) => [...(spec.ingress ?? []), ...(spec.egress ?? [])]);
    expect(rules.length).toBeGreaterThan(5);
    for (const { from, to, ports } of rules) {
      expect((from ?? to).length).toBeGreaterThan(0);
      for (const peer of from ?? to) expect(Object.keys(peer)).not.toEqual([]);
      const numbers = ports.map(({ port }: { port: number }) => port);
      expect(numbers.filter((port: number) => ![53, 4222, 6222, 7777, 9851, 4321].includes(port))).toEqual([]);
    }
    for (const { owner, labels } of podsOf(objects)) {
      const own = policies.filter(({ spec }) => selects(spec.podSelector.matchLabels, labels));
      expect([owner.metadata.name, own.length]).toEqual([owner.metadata.name, 1]);
    }
  });
});

test("nor do other choices of an environment put a secret into a variable", () => {
  const clients = { passwords: ["oms", "bff"], certificates: true, inboxes: "shared" } as const;
  for (const encryption of ["none", "chacha"] as const) {
    const objects = objectsOf(modelWith({ environment: { nats: { clients, encryption } } }));
    expect(variablesOf(objects).length).toBeGreaterThan(0);
    expect(others(objects)).toEqual([]);
  }
});

test("a secret in a variable would be found, in whatever workload and way", () => {
  const job = (container: object) => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "job" },
    spec: { template: { spec: { initContainers: [{ name: "a", image: "b", ...container }] } } },
  });
  const ref = { name: "nats-auth", key: "password" };
  for (const container of [
    { env: [{ name: "POD_NAME", valueFrom: { secretKeyRef: ref } }] },
    { env: [{ name: "GOMEMLIMIT", value: "hunter22" }] },
    { env: [{ name: "NATS_PASSWORD", value: "" }] },
    { envFrom: [{ secretRef: { name: "nats-auth" } }] },
  ]) {
    expect(others([job(container)])).toHaveLength(1);
  }
});

test.each(["staging", "production"] as const)("%s chooses what is closed: TLS, encryption, inboxes, NKeys", (name) => {
  const { nats, secrets, certificates, development } = realModel(name).environment;
  expect({ secrets: secrets.store, certificates, development }).toEqual({
    ...{ secrets: "gcp-secret-manager", certificates: "cert-manager", development: false },
  });
  expect(nats).toMatchObject({ tls: true, encryption: "aes", clients: { inboxes: "private", passwords: [] } });
  expect(["1.2", "1.3"]).toContain(nats.tlsMinimum);
});
