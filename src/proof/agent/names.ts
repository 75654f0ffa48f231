/** Names and addresses of Services: /etc/hosts in place of cluster DNS, and the way from a ClusterIP to a pod. */
import type { EndpointSlice, Service } from "./objects.ts";
import type { Cluster } from "./packet-filter.ts";

type Services = Pick<Cluster, "services" | "slices">;
const DOMAIN = "svc.cluster.local";

/** What a pod of `namespace` finds by name; `own` is its own line. Short names go by its namespace, as search domains do. */
export function hostsFile(namespace: string, own: string, { services, slices }: Services): string {
  const lines = services.flatMap(({ metadata, spec }) => {
    const { name, namespace: home } = metadata;
    const names = (host: string) => [
      ...(home === namespace ? [host] : []),
      ...[home, `${home}.svc`, `${home}.${DOMAIN}`].map((end) => `${host}.${end}`),
    ];
    if (spec.clusterIP && spec.clusterIP !== "None") return [`${spec.clusterIP} ${names(name).join(" ")}`];
    return endpointsOf(metadata, slices).flatMap(({ addresses, hostname }) =>
      addresses.map((address) =>
        [address, ...names(name), ...(hostname ? names(`${hostname}.${name}`) : [])].join(" "),
      ),
    );
  });
  return `${["127.0.0.1 localhost", own, ...lines.sort()].join("\n")}\n`;
}

/**
 * Rules that send a connection to a ClusterIP to one of the pods that are ready, as kube-proxy does; where none is, the
 * connection is refused.
 */
export function serviceRules({ services, slices }: Services) {
  const translated: string[] = [];
  const refused: string[] = [];
  for (const { metadata, spec } of services) {
    if (!spec.clusterIP || spec.clusterIP === "None") continue;
    for (const { name = "", port, protocol = "TCP" } of spec.ports ?? []) {
      const to = slices
        .filter((slice) => isOf(slice, metadata))
        .flatMap((slice) => {
          const target = slice.ports?.find((one) => (one.name ?? "") === name)?.port;
          return ready(slice).flatMap(({ addresses }) => addresses.map((address) => `${address} . ${target}`));
        });
      const match = `ip daddr ${spec.clusterIP} ${protocol.toLowerCase()} dport ${port}`;
      const map = to.sort().map((target, index) => `${index} : ${target}`);
      if (to.length === 0) refused.push(`${match} reject`);
      else translated.push(`${match} dnat ip to numgen random mod ${to.length} map { ${map.join(", ")} }`);
    }
  }
  return { translated, refused };
}

const endpointsOf = (service: Service["metadata"], slices: readonly EndpointSlice[]) =>
  slices.filter((slice) => isOf(slice, service)).flatMap(ready);

/** Those of a Service that publishes addresses before they are ready are said to be ready. */
const ready = ({ endpoints }: EndpointSlice) =>
  (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);

const isOf = ({ metadata }: EndpointSlice, { name, namespace }: Service["metadata"]): boolean =>
  metadata.namespace === namespace && metadata.labels?.["kubernetes.io/service-name"] === name;
