/** Pieces of network policies. Policies add up and nothing is denied by order, so every one names who may, and default-deny the rest. */
import { k8s } from "cdk8s-plus-28";
import type { Environment } from "../model/environment.ts";
import type { Model } from "../model/resolve.ts";
import { type Component, selectorLabels } from "./labels.ts";
import { CLIENT_NAMESPACE_LABEL, SERVICE_LABEL } from "./names.ts";

export const tcp = (...ports: number[]): k8s.NetworkPolicyPort[] =>
  ports.map((port) => ({ protocol: "TCP", port: k8s.IntOrString.fromNumber(port) }));

/** Pods of a component in our own namespace. */
export const pods = (component: Component): k8s.NetworkPolicyPeer => ({
  podSelector: { matchLabels: selectorLabels(component) },
});

/** Pods of the named services, in namespaces that are labelled as clients. No peer for no names: an empty list is invalid. */
export const services = (names: readonly string[]): k8s.NetworkPolicyPeer[] =>
  names.length === 0
    ? []
    : [
        {
          namespaceSelector: { matchLabels: { [CLIENT_NAMESPACE_LABEL]: "true" } },
          podSelector: { matchExpressions: [{ key: SERVICE_LABEL, operator: "In", values: [...names].sort() }] },
        },
      ];

/** Lets `from` in at `ports`; no rule where there is nobody: an empty `from` lets everybody in. */
export const ingress = (from: k8s.NetworkPolicyPeer[], ...ports: number[]): k8s.NetworkPolicyIngressRule[] =>
  from.length === 0 ? [] : [{ from, ports: tcp(...ports) }];

export const prometheus = ({ monitoring }: Environment): k8s.NetworkPolicyPeer => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": monitoring.prometheus.namespace } },
  podSelector: { matchLabels: { ...monitoring.prometheus.podLabels } },
});

/**
 * Names are looked up at kube-dns, at the node's own cache where there is one (GKE's default), and at addresses that belong to
 * no pod. Without names no route and no follower finds its peer.
 */
export const dns = ({ kubernetes }: Environment): k8s.NetworkPolicyEgressRule => ({
  to: [
    {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
      podSelector: {
        matchExpressions: [{ key: "k8s-app", operator: "In", values: ["kube-dns", "node-local-dns"] }],
      },
    },
    ...kubernetes.resolvers.map((cidr) => ({ ipBlock: { cidr } })),
  ],
  ports: (["UDP", "TCP"] as const).map((protocol) => ({ protocol, port: k8s.IntOrString.fromNumber(53) })),
});

/** Services that publish to any stream, consume from it or read it. */
export const natsClients = ({ streams, services }: Model): string[] => {
  const used = new Set(
    streams.flatMap((stream) => [
      ...[...stream.publishers, ...stream.consumers].map((use) => use.service),
      ...stream.readers,
    ]),
  );
  return services.map((service) => service.name).filter((name) => used.has(name));
};

/** Services that read or write live positions. */
export const tile38Clients = ({ services }: Model, use: "read" | "write"): string[] =>
  services.filter((service) => service.tile38 === use).map((service) => service.name);
