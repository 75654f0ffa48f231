import { k8s } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import type { Model } from "../model/resolve.ts";
import { NatsNetworkPolicies } from "../nats/network-policies.ts";
import { Tile38NetworkPolicies } from "../tile38/network-policies.ts";
import { BackboneChart } from "./backbone-chart.ts";

/** Nobody reaches anybody, then who may. */
export function networkChart(scope: Construct, model: Model): void {
  const chart = new BackboneChart(scope, "10-network", model);
  new k8s.KubeNetworkPolicy(chart, "default-deny", {
    metadata: { name: "default-deny" },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
  });
  new NatsNetworkPolicies(chart, "nats", { model });
  new Tile38NetworkPolicies(chart, "tile38", { model });
}
