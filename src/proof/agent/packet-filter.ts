/** NetworkPolicies and Services as the packet filter of one pod. */
import { serviceRules } from "./names.ts";
import type { EndpointSlice, KubeObject, NetworkPolicy, Peer, Pod, PolicyPort, Selector, Service } from "./objects.ts";

/** What a cluster has, as far as packets go. */
export interface Cluster {
  readonly pods: readonly Pod[];
  readonly namespaces: readonly KubeObject[];
  readonly policies: readonly NetworkPolicy[];
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
}

/**
 * Rules for nft. A pod that no policy selects is open in that direction; answers always pass, and so does what the node sends:
 * a kubelet's probes are not asked for leave either.
 *
 * @throws Error for what is allowed and not known here: names of ports, and protocols beside TCP and UDP
 */
export function packetFilter(pod: Pod, cluster: Cluster, gateway: string): string {
  const { translated, refused } = serviceRules(cluster);
  const policies = cluster.policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.metadata.namespace && selects(spec.podSelector, pod.metadata.labels),
  );
  const chain = (name: string, hook: string, rules: readonly string[]) =>
    `  chain ${name} {\n    type ${hook}\n${rules.map((rule) => `    ${rule}\n`).join("")}  }\n`;
  const ingress = policies.filter(({ spec }) => spec.policyTypes?.includes("Ingress") ?? true);
  const egress = policies.filter(({ spec }) => spec.policyTypes?.includes("Egress") ?? spec.egress !== undefined);
  const from = ingress.flatMap(({ metadata, spec }) =>
    (spec.ingress ?? []).flatMap((rule) => rulesOf("saddr", rule.from, rule.ports, metadata.namespace, cluster)),
  );
  const to = egress.flatMap(({ metadata, spec }) =>
    (spec.egress ?? []).flatMap((rule) => rulesOf("daddr", rule.to, rule.ports, metadata.namespace, cluster)),
  );
  // Nothing but answers: what a connection sends on is asked for leave each time. Kubernetes leaves it to the network whether a
  // policy ends connections that it no longer allows; clients must get over both.
  const answers = "ct state established,related ct direction reply accept";
  const verdict = (closed: boolean) => (closed ? "policy drop;" : "policy accept;");
  return [
    // Made first, so that there is something to delete: the file is taken as a whole or not at all.
    "table ip circl\ndelete table ip circl\ntable ip circl {\n",
    chain("refused", "filter hook output priority -150;", refused),
    chain("services", "nat hook output priority -100;", translated),
    chain("ingress", `filter hook input priority 0; ${verdict(ingress.length > 0)}`, [
      answers,
      'iif "lo" accept',
      `ip saddr ${gateway} accept`,
      ...from,
    ]),
    chain("egress", `filter hook output priority 0; ${verdict(egress.length > 0)}`, [
      answers,
      'oif "lo" accept',
      ...to,
    ]),
    "}\n",
  ].join("");
}

function rulesOf(
  side: "saddr" | "daddr",
  peers: readonly Peer[] | undefined,
  ports: readonly PolicyPort[] | undefined,
  namespace: string,
  cluster: Cluster,
): readonly string[] {
  const where =
    !peers || peers.length === 0 ? [""] : peers.flatMap((peer) => matchesOf(side, peer, namespace, cluster));
  const what = !ports || ports.length === 0 ? [""] : ports.map(portMatch);
  return where.flatMap((match) => what.map((port) => `${match}${port}accept`));
}

function matchesOf(
  side: string,
  { ipBlock, podSelector, namespaceSelector }: Peer,
  namespace: string,
  cluster: Cluster,
) {
  if (ipBlock) {
    const { cidr, except = [] } = ipBlock;
    return [`ip ${side} ${cidr} ${except.length > 0 ? `ip ${side} != { ${except.join(", ")} } ` : ""}`];
  }
  const homes = cluster.namespaces
    .filter(({ metadata }) =>
      namespaceSelector ? selects(namespaceSelector, metadata.labels) : metadata.name === namespace,
    )
    .map(({ metadata }) => metadata.name);
  const addresses = cluster.pods
    .filter(({ metadata }) => homes.includes(metadata.namespace) && selects(podSelector ?? {}, metadata.labels))
    .filter(({ status }) => status.phase === "Pending" || status.phase === "Running")
    .flatMap(({ status }) => status.podIP ?? [])
    .sort();
  return addresses.length > 0 ? [`ip ${side} { ${[...new Set(addresses)].join(", ")} } `] : [];
}

function portMatch({ port, protocol = "TCP" }: PolicyPort): string {
  if (protocol !== "TCP" && protocol !== "UDP") throw new Error(`a policy allows ${protocol}, which is not known here`);
  if (typeof port === "string")
    throw new Error(`a policy allows the port ${port}, and names of ports are not known here`);
  return port === undefined ? `meta l4proto ${protocol.toLowerCase()} ` : `${protocol.toLowerCase()} dport ${port} `;
}

export const selects = (
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Readonly<Record<string, string>> = {},
) =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, operator, values = [] }) => {
    const value = labels[key];
    if (operator === "Exists") return value !== undefined;
    if (operator === "DoesNotExist") return value === undefined;
    const listed = value !== undefined && values.includes(value);
    return operator === "In" ? listed : !listed;
  });
