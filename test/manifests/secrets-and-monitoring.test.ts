import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checkModel } from "../../src/rules/index.ts";
import { modelWith, realModel } from "../support/definitions.ts";
import { objectOf, objectsOf } from "../support/manifests.ts";
import { alertsIn } from "../support/promtool.ts";

const production = objectsOf(realModel("production"));

test("the store is read with Workload Identity in every namespace, and written for one document alone", () => {
  const stores = production.filter(({ kind }) => kind === "SecretStore");
  expect(stores.map(({ metadata, spec }) => [metadata.namespace, metadata.name, spec.provider])).toEqual(
    [
      ["circl-backbone", "circl-backbone", "circl-secret-reader"],
      ["circl-backbone", "circl-backbone-trust", "circl-trust-writer"],
      ["circl", "circl-backbone", "circl-secret-reader"],
    ].map(([namespace, name, account]) => [
      namespace,
      name,
      {
        gcpsm: {
          projectID: "circl-production",
          auth: {
            workloadIdentity: {
              clusterLocation: "europe-west1",
              clusterName: "circl-production",
              clusterProjectID: "circl-production",
              serviceAccountRef: { name: account },
            },
          },
        },
      },
    ]),
  );
  const pushed = production.filter(({ kind }) => kind === "PushSecret");
  expect(pushed.map(({ spec }) => spec)).toEqual([
    {
      refreshInterval: "300s",
      updatePolicy: "Replace",
      deletionPolicy: "None",
      secretStoreRefs: [{ kind: "SecretStore", name: "circl-backbone-trust" }],
      selector: { secret: { name: "nats-server-tls" } },
      data: [{ match: { secretKey: "ca.crt", remoteRef: { remoteKey: "production-nats-ca" } } }],
    },
  ]);
});

test.each([
  ["without certificates of clients", false],
  ["with certificates of clients", true],
])("every PushSecret is watched, %s, and nothing else", (_, certificates) => {
  const model = modelWith({ environment: { nats: { clients: { certificates } } } });
  const names = objectsOf(model)
    .filter(({ kind }) => kind === "PushSecret")
    .map(({ metadata }) => metadata.name);
  expect(names.length > 1).toBe(certificates);
  expect(alertsIn(model).find(({ alert }) => alert === "SecretNotPushed")?.expr).toContain(
    `pushsecret_status_condition{namespace=~"circl-backbone",name=~"${names.join("|")}",condition`,
  );
});

test("monitors and rules carry the labels that Prometheus selects by", () => {
  const selected = production.filter(({ kind }) => kind === "ServiceMonitor" || kind === "PrometheusRule");
  expect(selected.map(({ kind, metadata }) => [kind, metadata.name, metadata.labels?.release])).toEqual([
    ["ServiceMonitor", "nats", "kube-prometheus-stack"],
    ["ServiceMonitor", "tile38", "kube-prometheus-stack"],
    ["PrometheusRule", "nats", "kube-prometheus-stack"],
    ["PrometheusRule", "tile38", "kube-prometheus-stack"],
    ["PrometheusRule", "secrets", "kube-prometheus-stack"],
  ]);
});

test("a target's job is the name of its server: every rule and panel asks by it", () => {
  const monitored = production.filter(({ kind }) => kind === "ServiceMonitor");
  for (const { metadata, spec } of monitored) {
    expect(spec.jobLabel).toBe("app.kubernetes.io/name");
    const name = { "app.kubernetes.io/name": metadata.name, "app.kubernetes.io/component": "metrics" };
    expect(spec.selector).toEqual({ matchLabels: name });
    expect(spec.endpoints).toMatchObject([{ port: "metrics", path: "/metrics", interval: "30s" }]);
    // `instance` outlives a pod, so series do as well.
    expect(spec.endpoints[0].relabelings).toEqual([
      { sourceLabels: ["__meta_kubernetes_pod_name"], targetLabel: "instance", action: "replace" },
    ]);
    const service = objectOf(production, "Service", `${metadata.name}-metrics`);
    expect(service.metadata.labels).toMatchObject(name);
    expect(service.spec.ports).toMatchObject([{ name: "metrics" }]);
  }
});

test("Secrets that are sent by kubectl need no alert on External Secrets", () => {
  const sent = objectsOf(modelWith({ environment: { secrets: { store: "kubectl" }, development: true } }));
  const names = sent.filter(({ kind }) => kind === "PrometheusRule").map(({ metadata }) => metadata.name);
  expect(names).toEqual(["nats", "tile38"]);
});

test("every alert reaches the manifest, once and with a link to its runbook", () => {
  const ruled = (name: string): { alert?: string; annotations: { runbook_url: string } }[] =>
    objectOf(production, "PrometheusRule", name).spec.groups.flatMap(({ rules }: { rules: object[] }) => rules);
  const alerts = [...ruled("nats"), ...ruled("tile38"), ...ruled("secrets")].filter(({ alert }) => alert !== undefined);
  const names = alerts.map(({ alert }) => alert);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(
    expect.arrayContaining(["NatsDown", "NatsStreamWithoutLeader", "Tile38Down", "Tile38NoLeader", "SecretNotSynced"]),
  );
  for (const { alert, annotations } of alerts) {
    expect(annotations.runbook_url).toBe(`https://github.com/circl/circl-backbone/blob/main/docs/runbooks/${alert}.md`);
  }
});

test("runbooks are those of this repository, wherever that says it is", () => {
  const file = fileURLToPath(new URL("../../package.json", import.meta.url));
  const { repository } = JSON.parse(readFileSync(file, "utf8"));
  const home = repository.replace(/^github:/, "https://github.com/");
  expect(realModel("production").environment.monitoring.runbooks).toBe(`${home}/blob/main/docs/runbooks`);
});

test.each([
  "https://docs.invalid/runbooks",
  "http://localhost:8080/runbooks",
  "https://github.com/<owner>/backbone/runbooks",
  "https://github.com/CHANGE_ME/backbone/runbooks",
  "https://runbooks.example/nats",
])("%s is no place for runbooks", (runbooks) => {
  const problems = checkModel(modelWith({ environment: { monitoring: { runbooks } } }));
  expect(problems.map(({ code }) => code)).toContain("E061");
});

test("without the operator there is nothing of its kinds", () => {
  const none = objectsOf(modelWith({ environment: { monitoring: { operator: "none" } } }));
  expect(none.filter(({ apiVersion }) => apiVersion.startsWith("monitoring.coreos.com"))).toEqual([]);
});

test("a mirror and a digest reach every image", () => {
  const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
  const model = modelWith({
    environment: { images: { registry: "europe-docker.pkg.dev/circl/mirror", nats: { digest } } },
  });
  const [server] = objectOf(objectsOf(model), "StatefulSet", "nats").spec.template.spec.containers;
  expect(server.image).toBe(`europe-docker.pkg.dev/circl/mirror/nats:2.14.9-alpine@${digest}`);
});

test("every ServiceMonitor bounds what is scraped, in samples and in bytes", () => {
  const monitors = objectsOf(realModel("production")).filter(({ kind }) => kind === "ServiceMonitor");
  expect(monitors.map(({ metadata }) => metadata.name)).toEqual(["nats", "tile38"]);
  for (const { spec } of monitors) {
    expect(spec.sampleLimit).toBeGreaterThan(0);
    // What the CRD takes (monitoring.coreos.com_servicemonitors.yaml); 0 would be no limit.
    expect(spec.bodySizeLimit).toMatch(/^[1-9][0-9]*(K|M|G)iB$/);
  }
});
