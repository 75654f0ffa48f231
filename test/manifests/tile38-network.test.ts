import { describe, expect, test } from "vitest";
import { modelWith, realModel } from "../support/definitions.ts";
import { objectOf, objectsOf } from "../support/manifests.ts";

const production = objectsOf(realModel("production"));

describe("the network", () => {
  const policy = (name: string) => objectOf(production, "NetworkPolicy", name).spec;
  const tcp = (port: number) => [{ protocol: "TCP", port }];
  const pods = (component: string) => ({
    podSelector: { matchLabels: { "app.kubernetes.io/name": "tile38", "app.kubernetes.io/component": component } },
  });
  const clients = (...values: string[]) => ({
    namespaceSelector: { matchLabels: { "circl.dev/backbone-client": "true" } },
    podSelector: { matchExpressions: [{ key: "circl.dev/service", operator: "In", values }] },
  });
  const prometheus = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
    podSelector: { matchLabels: { "app.kubernetes.io/name": "prometheus" } },
  };
  const dnsOnly = [
    {
      ports: [
        { protocol: "UDP", port: 53 },
        { protocol: "TCP", port: 53 },
      ],
    },
  ];

  test("lets writers, readers, followers and the job to the leader, and the leader nowhere", () => {
    expect(policy("tile38-leader")).toMatchObject({
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { from: [clients("geo"), clients("bff", "dms"), pods("follower"), pods("shrink")], ports: tcp(9851) },
        { from: [prometheus], ports: tcp(4321) },
      ],
      egress: dnsOnly,
    });
  });

  test("lets readers to the followers, and followers to the leader", () => {
    expect(policy("tile38-follower")).toMatchObject({
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { from: [clients("bff", "dms")], ports: tcp(9851) },
        { from: [prometheus], ports: tcp(4321) },
      ],
      egress: [...dnsOnly, { to: [pods("leader")], ports: tcp(9851) }],
    });
  });

  test("lets the job to the leader, and nobody to the job", () => {
    expect(policy("tile38-aof-shrink")).toMatchObject({
      policyTypes: ["Ingress", "Egress"],
      egress: [...dnsOnly, { to: [pods("leader")], ports: tcp(9851) }],
    });
    expect(policy("tile38-aof-shrink")).not.toHaveProperty("ingress");
  });

  test("lets nobody in where nobody is declared: an empty list would mean everybody", () => {
    const unused = objectsOf(modelWith({ services: { oms: { description: "Orders" } } }));
    const ingress = (name: string) => objectOf(unused, "NetworkPolicy", name).spec.ingress;
    expect(ingress("tile38-follower")).toMatchObject([{ from: [prometheus] }]);
    expect(ingress("tile38-leader")).toMatchObject([
      { from: [pods("follower"), pods("shrink")] },
      { from: [prometheus] },
    ]);
  });
});
