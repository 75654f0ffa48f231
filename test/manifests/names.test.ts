/** Names that own or address state. Whoever has to change a line here loses data or connections: think twice. */
import { describe, expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { chartsOf, objectOf, objectsOf } from "../support/manifests.ts";

const ENVIRONMENTS = ["staging", "production", "local"] as const;

describe.each(ENVIRONMENTS)("%s", (name) => {
  const objects = objectsOf(realModel(name));

  test("StatefulSets, their Services and their claims are called what they always were", () => {
    const owned = objects
      .filter(({ kind }) => kind === "StatefulSet")
      .map(({ metadata, spec }) => ({
        name: metadata.name,
        service: spec.serviceName,
        claims: (spec.volumeClaimTemplates ?? []).map((claim: { metadata: { name: string } }) => claim.metadata.name),
        selector: spec.selector.matchLabels,
      }));
    expect(owned).toEqual([
      {
        name: "nats",
        service: "nats-headless",
        claims: ["data"],
        selector: { "app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "server" },
      },
      {
        name: "tile38-leader",
        service: "tile38-leader-headless",
        claims: ["data"],
        selector: { "app.kubernetes.io/name": "tile38", "app.kubernetes.io/component": "leader" },
      },
      {
        name: "tile38-follower",
        service: "tile38-follower-headless",
        claims: [],
        selector: { "app.kubernetes.io/name": "tile38", "app.kubernetes.io/component": "follower" },
      },
    ]);
  });

  test("clients reach the same Services on the same ports", () => {
    const ports = objects
      .filter(({ kind }) => kind === "Service")
      .map(
        ({ metadata, spec }) =>
          `${metadata.name}: ${spec.ports.map((port: { name: string; port: number }) => `${port.name} ${port.port}`).join(", ")}`,
      );
    expect(ports.sort()).toEqual([
      "nats-headless: client 4222, route 6222",
      "nats-metrics: metrics 7777",
      "nats: client 4222",
      "tile38-follower-headless: tile38 9851",
      "tile38-leader-headless: tile38 9851",
      "tile38-metrics: metrics 4321",
      "tile38-read: tile38 9851",
      "tile38: tile38 9851",
    ]);
  });

  test("Services select by labels that pods never lose", () => {
    const selectors = objects
      .filter(({ kind }) => kind === "Service")
      .map(({ metadata, spec }) => [metadata.name, Object.values(spec.selector).sort().join(" ")]);
    expect(Object.fromEntries(selectors)).toEqual({
      nats: "nats server",
      "nats-headless": "nats server",
      "nats-metrics": "nats server",
      tile38: "leader tile38",
      "tile38-leader-headless": "leader tile38",
      "tile38-follower-headless": "follower tile38",
      "tile38-read": "server",
      "tile38-metrics": "server",
    });
  });

  test("everything lies in one namespace, but for what clients get", () => {
    const clients = chartsOf(realModel(name))["60-clients"] ?? [];
    const scoped = objects.filter(
      ({ kind, metadata }) =>
        !["Namespace", "PriorityClass"].includes(kind) &&
        !clients.some((client) => client.kind === kind && client.metadata.namespace === metadata.namespace),
    );
    expect(new Set(clients.map(({ metadata }) => metadata.namespace))).toEqual(
      new Set(name === "local" ? [] : ["circl"]),
    );
    expect(new Set(scoped.map(({ metadata }) => metadata.namespace))).toEqual(new Set(["circl-backbone"]));
    expect(objectOf(objects, "Namespace", "circl-backbone")).toBeDefined();
  });
});

test("cluster and server names", () => {
  const conf = (name: (typeof ENVIRONMENTS)[number]) =>
    objectOf(objectsOf(realModel(name)), "ConfigMap", "nats-config").data?.["nats.conf"];
  const serverName = (name: (typeof ENVIRONMENTS)[number]) =>
    objectOf(objectsOf(realModel(name)), "StatefulSet", "nats").spec.template.spec.containers[0].env.find(
      (variable: { name: string }) => variable.name === "SERVER_NAME",
    ).value;
  expect(conf("staging")).toContain('  name: "circl-staging"\n');
  expect(conf("production")).toContain('  name: "circl-production"\n');
  expect(conf("local")).not.toContain("cluster");
  expect(serverName("staging")).toBe("circl-staging-$(POD_NAME)");
  expect(serverName("production")).toBe("circl-production-$(POD_NAME)");
  expect(serverName("local")).toBe("circl-local-$(POD_NAME)");
});
