/** Who may reach the Tile38 servers, and whom they may reach. One password and no TLS: this is the wall. */
import { k8s } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { type Component, selectorLabels } from "../kubernetes/labels.ts";
import { PORTS, TILE38 } from "../kubernetes/names.ts";
import { dns, ingress, pods, prometheus, services, tcp, tile38Clients } from "../kubernetes/network-policy.ts";
import type { Model } from "../model/resolve.ts";
import { FOLLOWER, LEADER, SHRINK } from "./members.ts";

const policy = (scope: Construct, id: string, name: string, component: Component, rules: Rules) =>
  new k8s.KubeNetworkPolicy(scope, id, {
    metadata: { name },
    spec: {
      podSelector: { matchLabels: selectorLabels(component) },
      policyTypes: ["Ingress", "Egress"],
      ...rules,
    },
  });

type Rules = Pick<k8s.NetworkPolicySpec, "ingress" | "egress">;

export class Tile38NetworkPolicies extends Construct {
  constructor(scope: Construct, id: string, { model }: { readonly model: Model }) {
    super(scope, id);
    const { environment } = model;
    const followed = environment.tile38.followers.count > 0;
    const readers = services(tile38Clients(model, "read"));
    const writers = services(tile38Clients(model, "write"));
    const scrape = ingress([prometheus(environment)], PORTS.tile38Metrics);
    const lookUp = dns(environment);
    const toLeader = { to: [pods(LEADER)], ports: tcp(PORTS.tile38) };

    policy(this, "leader", TILE38.leader, LEADER, {
      ingress: [
        // Readers, too: the read Service falls back on the leader.
        ...ingress([...writers, ...readers, ...(followed ? [pods(FOLLOWER)] : []), pods(SHRINK)], PORTS.tile38),
        ...scrape,
      ],
      egress: [lookUp],
    });
    if (followed) {
      policy(this, "followers", TILE38.followers, FOLLOWER, {
        ingress: [...ingress(readers, PORTS.tile38), ...scrape],
        egress: [lookUp, toLeader],
      });
    }
    policy(this, "shrink", TILE38.shrinkJob, SHRINK, { egress: [lookUp, toLeader] });
  }
}
