import type { EnvironmentInput } from "../src/model/environment.ts";

/** What all environments share. */
export const base = {
  development: false,
  delivery: "kubectl",
  kubernetes: {
    version: "1.33",
    namespace: "circl-backbone",
    clientNamespace: "circl",
    clusterDomain: "cluster.local",
    zones: 3,
    zoneSpread: "required",
    // NodeLocal DNSCache and GKE Cloud DNS answer at addresses of no pod: a policy that names only pods cuts every lookup there.
    // With Calico and NodeLocal DNSCache add the ClusterIP of kube-dns as well: a pod on the host's network answers for it.
    resolvers: ["169.254.20.10/32", "169.254.169.254/32"],
  },
  images: {
    registry: "docker.io",
    nats: { repository: "nats", tag: "2.14.9-alpine" },
    reloader: { repository: "natsio/nats-server-config-reloader", tag: "0.23.0" },
    exporter: { repository: "natsio/prometheus-nats-exporter", tag: "0.20.1" },
    tile38: { repository: "tile38/tile38", tag: "1.37.0" },
  },
  nats: {
    servers: 3,
    cpu: "2",
    memory: "8GiB",
    volume: { size: "20GiB" },
    encryption: "aes",
    tls: true,
    tlsMinimum: "1.2",
    clients: { inboxes: "private", passwords: [], certificates: false },
    // Names for the shift on call. The audit holds the key that was used: a name of one's own says who it was.
    people: {
      "operator-read": "operator-read",
      "operator-streams": "operator-streams",
      "operator-system": "operator-system",
    },
    maxConnections: 5_000,
    maxPayload: "8MiB",
    lameDuck: { grace: "10s", duration: "30s" },
  },
  tile38: {
    leader: { cpu: "1", memory: "2GiB", volume: { size: "50GiB" } },
    followers: { count: 2, cpu: "500m", memory: "2GiB", scratch: "20GiB" },
    objects: 1_000_000,
    // Assumed: the services' own names were never written down. Tile38CollectionUnwatched says when there are others.
    collections: ["fleet", "zones"],
    shrink: { schedule: "17 * * * *", above: "2GiB" },
  },
  certificates: "cert-manager",
  monitoring: {
    operator: "prometheus-operator",
    // In a copy of this repository: its own address, here and as `repository` in package.json. Every alert leads there.
    runbooks: "https://github.com/circl/circl-backbone/blob/main/docs/runbooks",
    selectorLabels: { release: "kube-prometheus-stack" },
    prometheus: { namespace: "monitoring", podLabels: { "app.kubernetes.io/name": "prometheus" } },
    grafana: { operator: "none", instanceLabels: { dashboards: "grafana" }, folder: "Circl" },
  },
} satisfies EnvironmentInput;
