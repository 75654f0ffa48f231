import { describe, expect, test } from "vitest";
import { checkManifests } from "../../../src/rules/index.ts";
import { manifestRules } from "../../../src/rules/manifests/index.ts";
import type { Manifest } from "../../../src/rules/manifests/manifest.ts";
import { realModel } from "../../support/definitions.ts";
import { objectOf, objectsOf } from "../../support/manifests.ts";

const model = realModel("production");

/** Problems of production's manifests after `break` has changed a copy of them. */
function problemsAfter(breakIt: (objects: Manifest[]) => void): string[] {
  const objects = structuredClone(objectsOf(model));
  breakIt(objects);
  return checkManifests({ model, objects }).map(({ code, place, says }) => `${code} ${place} ${says}`);
}
const remove = (objects: Manifest[], kind: string, name: string): void => {
  objects.splice(objects.indexOf(objectOf(objects, kind, name)), 1);
};
const natsPod = (objects: Manifest[]) => objectOf(objects, "StatefulSet", "nats").spec.template.spec;

/** Each rule with a change that breaks it, and what is said then. */
const cases: Readonly<Record<string, readonly [(objects: Manifest[]) => void, string]>> = {
  M001: [
    (objects) => remove(objects, "ExternalSecret", "nats-auth"),
    "M001 dist/production: StatefulSet nats, volume auth Secret nats-auth is made by nobody",
  ],
  M002: [
    (objects) => natsPod(objects).volumes.splice(0, 1),
    "M002 dist/production: StatefulSet nats, container nats mounts volume config at /etc/nats-config, which does not exist",
  ],
  M003: [
    (objects) => remove(objects, "Issuer", "nats-ca"),
    "M003 dist/production: Certificate nats-server-tls Issuer nats-ca does not exist in circl-backbone",
  ],
  M004: [
    (objects) => objects.push(objectOf(objects, "Service", "nats")),
    "M004 dist/production: Service nats is there twice",
  ],
  M010: [
    (objects) => {
      objectOf(objects, "Service", "nats").spec.ports[0].targetPort = "clients";
    },
    "M010 dist/production: Service nats, port client no selected container has port clients",
  ],
  M011: [
    (objects) => {
      objectOf(objects, "ServiceMonitor", "nats").spec.endpoints[0].port = "prom-metrics";
    },
    "M011 dist/production: ServiceMonitor nats, endpoints no selected Service has a port named prom-metrics",
  ],
  M012: [
    (objects) => {
      objectOf(objects, "PodDisruptionBudget", "nats").spec.selector.matchLabels = { app: "nats" };
    },
    'M012 dist/production: PodDisruptionBudget nats selects no pod by {"app":"nats"}',
  ],
  M013: [
    (objects) => {
      natsPod(objects).containers[0].livenessProbe.httpGet.port = "http";
    },
    "M013 dist/production: StatefulSet nats, container nats livenessProbe asks port http",
  ],
  M014: [
    (objects) => {
      objectOf(objects, "Certificate", "nats-route-tls").spec.dnsNames = ["*.nats-headless.circl-backbone.svc"];
    },
    "M014 dist/production: Certificate nats-route-tls, dnsNames does not name nats-0.nats-headless.circl-backbone.svc.cluster.local",
  ],
};

test("every rule has an example that breaks it", () => {
  expect(manifestRules.map(({ code }) => code)).toEqual(Object.keys(cases));
});

describe.each(Object.entries(cases))("%s", (_, [breakIt, expected]) => {
  test("fires with its place", () => expect(problemsAfter(breakIt)).toContain(expected));
});

test.each(["staging", "production", "local"] as const)("%s as it is breaks none", (name) => {
  expect(checkManifests({ model: realModel(name), objects: objectsOf(realModel(name)) })).toEqual([]);
});

test.each([
  [
    "a Service that selects nothing",
    "M010",
    (objects: Manifest[]) => {
      objectOf(objects, "Service", "nats").spec.selector = { app: "x" };
    },
  ],
  [
    "a monitor that selects nothing",
    "M011",
    (objects: Manifest[]) => {
      objectOf(objects, "ServiceMonitor", "tile38").spec.selector.matchLabels = { app: "x" };
    },
  ],
  ["a missing ServiceAccount", "M003", (objects: Manifest[]) => remove(objects, "ServiceAccount", "nats")],
  [
    "a store in another namespace",
    "M003",
    (objects: Manifest[]) => {
      const there = objects.findIndex(({ kind, metadata }) => kind === "SecretStore" && metadata.namespace === "circl");
      objects.splice(there, 1);
    },
  ],
  ["a missing ConfigMap", "M001", (objects: Manifest[]) => remove(objects, "ConfigMap", "nats-config")],
  [
    "a route certificate that cannot dial",
    "M014",
    (objects: Manifest[]) => {
      objectOf(objects, "Certificate", "nats-route-tls").spec.usages = ["server auth"];
    },
  ],
] as const)("%s is found", (_, code, breakIt) => {
  expect(problemsAfter(breakIt).some((problem) => problem.startsWith(code))).toBe(true);
});
