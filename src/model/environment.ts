/** What an environment may say. `environments/base.ts` holds what all share, every environment only what differs. */
import * as v from "valibot";
import { count, type DeepReadonly, dnsLabel, duration, flag, list, oneOf, only, size, text, texts } from "./schema.ts";

/** An image by exact tag; the digest, where given, is what Kubernetes pulls. */
const image = only({
  repository: text,
  tag: text,
  digest: v.exactOptional(
    v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/, "is no digest, expected sha256: and 64 hexadecimal digits")),
  ),
});

const volume = only({
  size,
  /** @default the cluster's default class */
  storageClass: v.exactOptional(text),
});

/** What a person may do; the streams and the server's own subjects say what exactly (src/nats/roles.ts). */
const role = oneOf(["operator-read", "operator-streams", "operator-system"]);
export type Role = v.InferOutput<typeof role>;

/** CPU is requested and never limited (throttled elections look like lost nodes); memory is request and limit. */
const cpu = v.pipe(v.string(), v.regex(/^(\d+m|\d+(\.\d+)?)$/, 'is no CPU amount, expected for example "500m" or "2"'));

export const environmentSchema = only({
  /** Part of `cluster.name`, `server_name` and secret names: never change it once data exists. */
  name: dnsLabel,
  /** Takes the stream figures of another environment (`streams/*.ts`, `in`). @default name */
  streamFigures: v.exactOptional(dnsLabel),
  /** A throw-away cluster on one machine: may lack TLS, replicas, operators and a secret store. */
  development: flag,
  /** Who applies dist: `circl deploy` or plain kubectl, or a controller in the cluster, which is told order and what stays (docs/gitops.md). */
  delivery: oneOf(["kubectl", "argocd", "flux"]),
  kubernetes: only({
    /** Minor version of the cluster, "1.33": pins the Pod Security version. */
    version: v.pipe(v.string(), v.regex(/^1\.\d+$/, 'is no minor version, expected for example "1.33"')),
    /** The only context of kubectl that this environment is deployed by. */
    context: text,
    namespace: dnsLabel,
    /** Namespace that services run in, unless `streams/services.ts` says another. Not ours: it must exist. */
    clientNamespace: dnsLabel,
    clusterDomain: text,
    /** Zones that nodes of this cluster lie in. */
    zones: count(1),
    /** required: one NATS server a zone or it stays pending. preferred: as even as it goes. */
    zoneSpread: oneOf(["required", "preferred"]),
    /** CIDRs of resolvers that are no pods: GKE Cloud DNS and NodeLocal DNSCache. */
    resolvers: list(
      v.pipe(
        text,
        v.regex(/^[\da-f.:]+\/\d{1,3}$/i, ({ received }) => `is ${received}, expected a CIDR such as "10.0.0.10/32"`),
      ),
    ),
  }),
  images: only({
    /** Registry or mirror that every image is pulled from. */
    registry: text,
    nats: image,
    reloader: image,
    exporter: image,
    tile38: image,
  }),
  nats: only({
    servers: count(1),
    cpu,
    memory: size,
    volume,
    /**
     * How JetStream's files are encrypted, by a key of the secret store. "aes" is the faster one on servers' processors, "chacha" on
     * those without AES in hardware. What turning it on or off does to data that is there: docs/rotation.md.
     */
    encryption: oneOf(["none", "aes", "chacha"]),
    tls: flag,
    /** Oldest TLS that servers speak, with clients and with each other. */
    tlsMinimum: oneOf(["1.2", "1.3"]),
    /** How clients prove who they are, and where answers to them come. */
    clients: only({
      /** private: answers come to `_INBOX_<name>.>`; a client must set that prefix. shared: to `_INBOX.>`, which in CIRCL all who watch buckets hear. */
      inboxes: oneOf(["private", "shared"]),
      /** Identities that still log in by user name and password; all others have NKeys. */
      passwords: list(text),
      /** Whether a client must also show a certificate of the backbone's authority. */
      certificates: flag,
    }),
    /** People by name, with what each may do: one name, one credential, so that one can be taken away. */
    people: v.record(dnsLabel, role),
    maxConnections: count(1),
    /** Largest message that the server takes. */
    maxPayload: size,
    /** Stops accepting, waits `grace`, then closes its clients over the rest of `duration`. */
    lameDuck: only({ grace: duration, duration }),
    /** JetStream storage that the CIRCL account may take, replicas counted. @default 95 % of all file stores */
    accountStorage: v.exactOptional(size),
    /** server_metadata of nats.conf (2.12). */
    serverMetadata: v.exactOptional(texts),
    /** feature_flags of nats.conf (2.14). */
    featureFlags: v.exactOptional(v.record(text, v.boolean())),
  }),
  tile38: only({
    leader: only({ cpu, memory: size, volume }),
    followers: only({
      count: count(0),
      cpu,
      memory: size,
      /** Space for a follower's copy of the append-only file; it is fetched again after every restart. */
      scratch: size,
    }),
    /** Objects expected at most: sizes memory. */
    objects: count(1),
    /** Collections whose objects are counted and compared. Clients make them by writing, so no others get series of their own. */
    collections: list(
      v.pipe(
        text,
        v.regex(/^[\w:-]+$/, ({ received }) => `is ${received}, expected letters, digits, "_", ":" and "-"`),
      ),
    ),
    shrink: only({
      /** Cron time of the append-only file's shrink. */
      schedule: v.pipe(
        text,
        v.regex(
          /^([\d*/,-]+ ){4}[\d*/,-]+$/,
          ({ received }) => `is ${received}, expected five cron fields such as "17 * * * *"`,
        ),
      ),
      /** Smaller files are left alone. */
      above: size,
    }),
  }),
  secrets: v.variant("store", [
    only({
      store: v.literal("gcp-secret-manager"),
      project: text,
      cluster: only({ name: text, location: text }),
      refresh: duration,
    }),
    only({ store: v.literal("kubectl") }),
  ]),
  certificates: oneOf(["cert-manager", "none"]),
  monitoring: only({
    operator: oneOf(["prometheus-operator", "none"]),
    /** Labels by which the cluster's Prometheus selects monitors and rules. */
    selectorLabels: texts,
    /** Where docs/runbooks of this repository is read: every alert links to its page there. */
    runbooks: v.pipe(
      text,
      v.regex(/^https?:\/\/\S+[^/\s]$/, ({ received }) => `is ${received}, expected a URL without "/" at its end`),
    ),
    /** Where Prometheus runs: the only one who may scrape. */
    prometheus: only({ namespace: dnsLabel, podLabels: texts }),
    /** Dashboards are ConfigMaps for Grafana's sidecar anyway; grafana-operator gets its own kind as well. */
    grafana: only({
      operator: oneOf(["grafana-operator", "none"]),
      /** Labels of the Grafana instances that the operator gives the dashboards to. */
      instanceLabels: texts,
      folder: text,
    }),
  }),
});

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> }
    : T;

/** One layer of an environment; later layers win, lists are replaced as a whole. */
export type EnvironmentInput = DeepPartial<DeepReadonly<v.InferInput<typeof environmentSchema>>>;
/** A complete environment: sizes in bytes, durations in nanoseconds. */
export type Environment = DeepReadonly<v.InferOutput<typeof environmentSchema>>;

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Lays `layers` over each other, key by key. */
export function mergeLayers(layers: readonly EnvironmentInput[]): unknown {
  const over = (below: unknown, above: unknown): unknown => {
    if (above === undefined) return below;
    if (!isObject(below) || !isObject(above)) return above;
    // Another kind of store has other settings: those of the one below mean nothing to it.
    if ("store" in above && above.store !== below.store) return above;
    const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
    return Object.fromEntries([...keys].map((key) => [key, over(below[key], above[key])]));
  };
  return layers.reduce<unknown>(over, {});
}
