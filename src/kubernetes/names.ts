/**
 * Every fixed name. Names that own or address state (StatefulSets, claims, Services, `cluster.name`, `server_name`) are for
 * ever: changing one loses data or connections. A test holds them as literals.
 */
import type { Environment } from "../model/environment.ts";

export const NATS = {
  name: "nats",
  clientService: "nats",
  headlessService: "nats-headless",
  metricsService: "nats-metrics",
  configMap: "nats-config",
  authSecret: "nats-auth",
  encryptionSecret: "nats-encryption-key",
  /** In clusters that no secret store stands behind. */
  documentsSecret: "nats-identity-documents",
  dataClaim: "data",
  caSecret: "nats-ca",
  routeCaSecret: "nats-route-ca",
  serverCertificate: "nats-server-tls",
  routeCertificate: "nats-route-tls",
} as const;

export const TILE38 = {
  leader: "tile38-leader",
  followers: "tile38-follower",
  /** Reads and writes: the leader alone. */
  writeService: "tile38",
  /** Reads: followers and leader, so that a leader's re-sync never empties it. */
  readService: "tile38-read",
  metricsService: "tile38-metrics",
  leaderHeadlessService: "tile38-leader-headless",
  followersHeadlessService: "tile38-follower-headless",
  scriptsConfigMap: "tile38-scripts",
  leaderSecret: "tile38-leader-config",
  followersSecret: "tile38-follower-config",
  dataClaim: "data",
  shrinkJob: "tile38-aof-shrink",
} as const;

export const PRIORITY_CLASS = "circl-backbone";
export const SECRET_STORE = "circl-backbone";
/** ServiceAccount that External Secrets reads the secret store as. */
export const SECRET_READER = "circl-secret-reader";
/** Store and ServiceAccount that hand the authority's certificate to the secret store: all that they may write. */
export const TRUST_STORE = "circl-backbone-trust";
export const TRUST_WRITER = "circl-trust-writer";
/** Secret of a service, in the namespace that it runs in. */
export const clientSecret = (service: string): string => `circl-backbone-${service}`;
/** Certificate of a client, and its Secret: where the authority is. */
export const clientCertificate = (identity: string): string => `nats-client-tls-${identity}`;
export const SELF_SIGNED_ISSUER = "nats-self-signed";
export const CA_ISSUER = "nats-ca";
export const ROUTE_CA_ISSUER = "nats-route-ca";

/** Pods of a service carry this label with the service's name; network policies let them in by it. */
export const SERVICE_LABEL = "circl.dev/service";
/** Namespaces whose pods may reach the backbone carry this label with "true". */
export const CLIENT_NAMESPACE_LABEL = "circl.dev/backbone-client";

/** What Grafana's sidecar finds dashboards by; its value is "1". */
export const GRAFANA_SIDECAR_LABEL = "grafana_dashboard";
export const dashboardConfigMap = (dashboard: string): string => `dashboard-${dashboard}`;

export const PORTS = {
  natsClient: 4222,
  natsRoute: 6222,
  natsMonitor: 8222,
  natsMetrics: 7777,
  tile38: 9851,
  tile38Metrics: 4321,
} as const;

/** `cluster.name` of nats.conf; also what stream-sync checks before it touches anything. */
export const clusterName = (environment: Environment): string => `circl-${environment.name}`;
/** Goes before the pod's name in `server_name`. */
export const serverNamePrefix = (environment: Environment): string => `circl-${environment.name}-`;
/** `nats.circl-backbone.svc.cluster.local`. */
export const serviceHost = (service: string, { kubernetes }: Environment): string =>
  `${service}.${kubernetes.namespace}.svc.${kubernetes.clusterDomain}`;
/** Id of a document in the secret store: `production-nats-identity-oms`. */
export const storeKey = (environment: Environment, document: string): string => `${environment.name}-${document}`;
/** Documents in the secret store, before the environment's name. */
export const DOCUMENTS = {
  /** The server's half of an identity: public keys, or user names and hashes. */
  identity: (name: string): string => `nats-identity-${name}`,
  /** The client's half: a seed, or a user name and a password. */
  client: (name: string): string => `nats-client-${name}`,
  tile38: "tile38-password",
  encryption: "nats-encryption-key",
  /** The certificate and key of a client, where clients must have them: cert-manager's Secret as it is. */
  certificate: (name: string): string => `nats-client-tls-${name}`,
  /** The certificate of the authority that clients trust; no secret. */
  trust: "nats-ca",
} as const;
