/** What Argo CD and Flux are told, and that nothing else changes for them. */
import { describe, expect, test } from "vitest";
import type { Model } from "../../src/model/resolve.ts";
import type { Manifest } from "../../src/rules/manifests/manifest.ts";
import { modelWith, realModel } from "../support/definitions.ts";
import { chartsOf, objectsOf } from "../support/manifests.ts";

type Annotated = Manifest & { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } };
const withDelivery = (delivery: "argocd" | "flux"): Model => modelWith({ environment: { delivery } });
const annotationsOf = (object: Manifest): Readonly<Record<string, string>> =>
  (object as Annotated).metadata.annotations ?? {};
const idOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.namespace ?? "-"}/${metadata.name}`;

const WAVE = "argocd.argoproj.io/sync-wave";
const OPTIONS = "argocd.argoproj.io/sync-options";
const FLUX = "kustomize.toolkit.fluxcd.io/prune";

test("kubectl is told nothing", () => {
  for (const name of ["staging", "production", "local"] as const) {
    const keys = objectsOf(realModel(name)).flatMap((object) => Object.keys(annotationsOf(object)));
    expect(keys.filter((key) => /argoproj|fluxcd/.test(key))).toEqual([]);
  }
});

describe.each(["argocd", "flux"] as const)("%s", (delivery) => {
  test("gets annotations of its own, and in everything else what kubectl gets: no pod restarts", () => {
    const bare = objectsOf(withDelivery(delivery)).map((object) => {
      const own = Object.entries(annotationsOf(object)).filter(([key]) => ![WAVE, OPTIONS, FLUX].includes(key));
      const { annotations: _, ...metadata } = (object as Annotated).metadata;
      return {
        ...object,
        metadata: { ...metadata, ...(own.length > 0 ? { annotations: Object.fromEntries(own) } : {}) },
      };
    });
    expect(bare).toEqual(objectsOf(modelWith({})));
  });
});

test("nothing looks like a variable that Flux would put something in for", () => {
  expect(objectsOf(withDelivery("flux")).filter((object) => JSON.stringify(object).includes("${"))).toEqual([]);
});

const KEPT = [
  "Certificate",
  "ExternalSecret",
  "Issuer",
  "Namespace",
  "PodDisruptionBudget",
  "PriorityClass",
  "PushSecret",
  "SecretStore",
  "Service",
  "ServiceAccount",
  "StatefulSet",
];
const GONE = ["ConfigMap", "CronJob", "GrafanaDashboard", "NetworkPolicy", "PrometheusRule", "ServiceMonitor"];

describe("what is no longer in dist", () => {
  const operator = { monitoring: { grafana: { operator: "grafana-operator" } } } as const;

  test.each([
    ["argocd", (object: Manifest) => annotationsOf(object)[OPTIONS]?.includes("Prune=false,")],
    ["flux", (object: Manifest) => annotationsOf(object)[FLUX] === "disabled"],
  ] as const)("%s deletes only where nothing is lost by it", (delivery, isKept) => {
    const objects = objectsOf(modelWith({ environment: { delivery, ...operator } }));
    const kinds = (kept: boolean) =>
      [...new Set(objects.filter((object) => Boolean(isKept(object)) === kept).map(({ kind }) => kind))].sort();
    expect(kinds(true)).toEqual(KEPT);
    expect(kinds(false)).toEqual(GONE);
  });

  test("Argo CD keeps the same when its application is deleted, and applies server-side", () => {
    for (const object of objectsOf(withDelivery("argocd"))) {
      const options = KEPT.includes(object.kind)
        ? "Delete=false,Prune=false,ServerSideApply=true"
        : "ServerSideApply=true";
      expect(annotationsOf(object)[OPTIONS], idOf(object)).toBe(options);
    }
  });
});

describe("sync waves", () => {
  const charts = chartsOf(withDelivery("argocd"));
  const objects = Object.values(charts).flat();
  const waveOf = (object: Manifest): number => Number(annotationsOf(object)[WAVE]);

  test("follow the charts", () => {
    const wanted: Record<string, number[]> = {
      "00-namespace": [0],
      "10-network": [10],
      "20-secrets": [20, 21, 22, 29],
      "25-certificates": [25, 26, 27, 28],
      "30-nats": [30],
      "40-tile38": [40],
      "50-monitoring": [50],
      "55-dashboards": [55],
      "60-clients": [60, 61, 62],
    };
    const found = Object.entries(charts).map(([id, list]) => [
      id,
      [...new Set(list.map(waveOf))].sort((a, b) => a - b),
    ]);
    expect(Object.fromEntries(found)).toEqual(wanted);
    // Within the number of the next chart, but for what sends certificates out.
    expect(objects.filter((object) => waveOf(object) === 29).map(idOf)).toEqual(["PushSecret circl-backbone/nats-ca"]);
  });

  /** Whatever makes a Secret, by namespace and name. */
  const makers = new Map(
    objects.flatMap((object) => {
      const { kind, metadata, spec } = object;
      const secret =
        kind === "ExternalSecret" ? spec.target.name : kind === "Certificate" ? spec.secretName : undefined;
      return secret ? [[`${metadata.namespace}/${secret}`, object] as const] : [];
    }),
  );
  const find = (kind: string, namespace: string | undefined, name: string): Manifest | undefined =>
    objects.find(
      (other) => other.kind === kind && other.metadata.namespace === namespace && other.metadata.name === name,
    );

  /** What must be healthy before the object can be. */
  function needsOf({ kind, metadata, spec }: Manifest): (Manifest | undefined)[] {
    const { namespace } = metadata;
    const secret = (name: string) => makers.get(`${namespace}/${name}`);
    if (kind === "StatefulSet") {
      const volumes: { secret?: { secretName: string } }[] = spec.template.spec.volumes;
      return volumes.flatMap((volume) => (volume.secret ? [secret(volume.secret.secretName)] : []));
    }
    if (kind === "Certificate") return [find("Issuer", namespace, spec.issuerRef.name)];
    if (kind === "Issuer") return spec.ca ? [secret(spec.ca.secretName)] : [];
    if (kind === "ExternalSecret") return [find("SecretStore", namespace, spec.secretStoreRef.name)];
    if (kind === "PushSecret")
      return [find("SecretStore", namespace, spec.secretStoreRefs[0].name), secret(spec.selector.secret.name)];
    if (kind === "SecretStore")
      return [find("ServiceAccount", namespace, spec.provider.gcpsm.auth.workloadIdentity.serviceAccountRef.name)];
    return [];
  }

  test("bring everything after what it needs to become healthy", () => {
    const pairs = objects.flatMap((object) => needsOf(object).map((need) => ({ object, need })));
    expect(pairs.length).toBeGreaterThan(25);
    for (const { object, need } of pairs) {
      expect(need, idOf(object)).toBeDefined();
      if (need) expect(waveOf(need), `${idOf(object)} needs ${idOf(need)}`).toBeLessThan(waveOf(object));
    }
  });

  test("bring the namespace before everything, and the servers before what watches and uses them", () => {
    const [first, ...rest] = objects;
    expect(first?.kind).toBe("Namespace");
    for (const object of rest) expect(waveOf(object)).toBeGreaterThanOrEqual(0);
    const servers = objects.filter(({ kind }) => kind === "StatefulSet").map(waveOf);
    const later = objects.filter(({ kind }) => kind === "ServiceMonitor" || kind === "PrometheusRule").map(waveOf);
    expect(Math.max(...servers)).toBeLessThan(Math.min(...later));
  });
});
