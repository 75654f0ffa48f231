/** Who may reach the NATS servers, and whom they may reach. */
import { k8s } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { selectorLabels } from "../kubernetes/labels.ts";
import { NATS, PORTS } from "../kubernetes/names.ts";
import { dns, ingress, natsClients, pods, prometheus, services, tcp } from "../kubernetes/network-policy.ts";
import type { Model } from "../model/resolve.ts";
import { SERVER } from "./pod.ts";

export class NatsNetworkPolicies extends Construct {
  constructor(scope: Construct, id: string, { model }: { readonly model: Model }) {
    super(scope, id);
    // The monitoring port is in no rule: probes come from the node and are always let through, everything else is not.
    new k8s.KubeNetworkPolicy(this, "servers", {
      metadata: { name: NATS.name },
      spec: {
        podSelector: { matchLabels: selectorLabels(SERVER) },
        policyTypes: ["Ingress", "Egress"],
        ingress: [
          ...ingress(services(natsClients(model)), PORTS.natsClient),
          ...ingress([pods(SERVER)], PORTS.natsRoute),
          ...ingress([prometheus(model.environment)], PORTS.natsMetrics),
        ],
        egress: [{ to: [pods(SERVER)], ports: tcp(PORTS.natsRoute) }, dns(model.environment)],
      },
    });
  }
}
