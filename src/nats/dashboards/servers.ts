/** The dashboard of the NATS servers: is each of them there, with room to spare, and one cluster with the others? */
import { chosen, type Dashboard, growth, type Panel } from "../../grafana/dashboard.ts";
import { alertsIn, type Limit, limitAt, limitsOf } from "../../grafana/limit.ts";
import { clientCertificate, NATS } from "../../kubernetes/names.ts";
import type { Alert } from "../../kubernetes/prometheus-rule.ts";
import type { Model } from "../../model/resolve.ts";
import { natsAlerts } from "../alerts.ts";
import { CERTIFICATE_LIMITS } from "../certificate-alerts.ts";
import { alive } from "./series.ts";
import { leaderless, refusedLogins, servers, volumes } from "./shared.ts";

/** Limits of the alerts named. */
type Limits = (...alerts: readonly string[]) => Limit[];

export function natsDashboard(model: Model): Dashboard {
  const alerts = alertsIn(natsAlerts(model));
  const limits: Limits = (...names) => limitsOf(alerts, ...names);
  const { nats, certificates } = model.environment;
  const clustered = nats.servers > 1;
  return {
    name: "nats",
    title: "NATS servers",
    description: "A server is missing, slow or full, or clients cannot connect.",
    series: "nats_varz_connections",
    variables: [],
    rows: [
      {
        title: "Are they there?",
        panels: [servers(model), ...(clustered ? [leaderless(model)] : []), versions, restarts, reloads],
      },
      {
        title: "What do clients do?",
        panels: [connections(limits), traffic, slow(limits)],
      },
      { title: "What do clients get?", panels: [...refusedLogins(model), failures(limits)] },
      {
        title: "Do they work together?",
        panels: [...(clustered ? [peers(limits)] : []), waits, processors],
      },
      { title: "Is there room?", panels: [volumes(model), stored(limits), reserved(limits), memory(limits)] },
      ...(nats.tls && certificates === "cert-manager"
        ? [{ title: "Certificates", panels: certificatesEnd(alerts) }]
        : []),
    ],
  };
}

const versions: Panel = {
  kind: "stat",
  title: "Which version runs on how many?",
  description: "Two versions at once are an update that is under way or stuck.",
  unit: "short",
  queries: [{ expr: `count by (value) (${alive(chosen("nats_varz_version"))})`, legend: "{{value}}" }],
};

const restarts: Panel = {
  kind: "stat",
  title: "When did each server start?",
  description: "A start that nobody planned: look at the pod's last state for the reason, most often memory.",
  unit: "dateTimeFromNow",
  queries: [{ expr: alive(chosen("nats_varz_start")), legend: "{{pod}}" }],
};

const reloads: Panel = {
  kind: "stat",
  title: "When was the configuration loaded?",
  description:
    "After a change of users, certificates or limits every server says so within minutes. An older time is a refused reload: the log says which key.",
  unit: "dateTimeFromNow",
  queries: [{ expr: alive(chosen("nats_varz_config_load_time")), legend: "{{pod}}" }],
};

/** Of what the server was given. */
const share = (part: string, whole: string): string =>
  alive(`${chosen(`nats_varz_${part}`)} / ${chosen(`nats_varz_${whole}`)}`);

const connections = (limits: Limits): Panel => ({
  kind: "series",
  title: "How near are connections to the limit?",
  description: "Share of max_connections. At 1 the next client is refused.",
  unit: "percentunit",
  queries: [{ expr: share("connections", "max_connections"), legend: "{{pod}}" }],
  limits: limits("NatsConnectionsNearLimit"),
});

const traffic: Panel = {
  kind: "series",
  title: "How many messages go in and out?",
  description: "Between clients and servers, a second. Out above in is fan-out; in without out is nobody listening.",
  unit: "cps",
  queries: ["in", "out"].map((way) => ({
    expr: `sum(${alive(growth(`nats_varz_${way}_client_msgs`))})`,
    legend: way,
  })),
};

const slow = (limits: Limits): Panel => ({
  kind: "series",
  title: "Who reads too slowly?",
  description:
    "Connections cut because their buffer was full, in ten minutes. The log of that server names the client.",
  unit: "short",
  queries: [{ expr: alive(`increase(${chosen("nats_varz_slow_consumers")}[10m])`), legend: "{{pod}}" }],
  limits: limits("NatsSlowConsumers"),
});

const failures = (limits: Limits): Panel => ({
  kind: "series",
  title: "How many JetStream requests are refused?",
  description: "In ten minutes. Somebody asks again and again for what does not exist, or a stream has no leader.",
  unit: "short",
  queries: [
    { expr: `sum(${alive(`increase(${chosen("nats_varz_jetstream_stats_api_errors")}[10m])`)})`, legend: "refused" },
  ],
  limits: limits("NatsApiErrors"),
});

const peers = (limits: Limits): Panel => ({
  kind: "series",
  title: "How many others does each server see?",
  description: "One fewer than there are servers. Less on one server alone: its routes; less on all: a server is gone.",
  unit: "short",
  queries: [{ expr: alive(chosen("nats_varz_remotes")), legend: "{{pod}}" }],
  limits: limits("NatsRouteLost"),
});

const waits: Panel = {
  kind: "series",
  title: "What waits in the meta group, and for the disk?",
  description:
    "Changes of streams and consumers that are not applied yet, and operations of the disk. For long, it is a slow disk.",
  unit: "short",
  queries: [
    { expr: alive(chosen("nats_varz_jetstream_meta_pending")), legend: "{{pod}} changes" },
    { expr: alive(chosen("nats_varz_disk_io_wait_stats_waiters")), legend: "{{pod}} disk" },
  ],
};

const processors: Panel = {
  kind: "series",
  title: "How busy are the processors?",
  description: "Per cent of one core. Elections that nobody asked for mostly come with this at its ceiling.",
  unit: "percent",
  queries: [{ expr: alive(chosen("nats_varz_cpu")), legend: "{{pod}}" }],
};

const stored = (limits: Limits): Panel => ({
  kind: "series",
  title: "How full is the file store?",
  description: "Share of max_file_store that messages take.",
  unit: "percentunit",
  queries: [{ expr: share("jetstream_stats_storage", "jetstream_config_max_storage"), legend: "{{pod}}" }],
  limits: limits("NatsStorageFilling"),
});

const reserved = (limits: Limits): Panel => ({
  kind: "series",
  title: "How much of it do streams reserve?",
  description: "Their max_bytes, as share of max_file_store. At 1 no stream can be created.",
  unit: "percentunit",
  queries: [{ expr: share("jetstream_stats_reserved_storage", "jetstream_config_max_storage"), legend: "{{pod}}" }],
  limits: limits("NatsStorageReserved"),
});

const memory = (limits: Limits): Panel => ({
  kind: "series",
  title: "How much memory does each server take?",
  description: "At the container's limit the kernel ends it. Many consumers and wide subject spaces take it.",
  unit: "bytes",
  queries: [{ expr: alive(chosen("nats_varz_mem")), legend: "{{pod}}" }],
  limits: limits("NatsMemoryNearLimit"),
});

const EXPIRES = "certmanager_certificate_expiration_timestamp_seconds";

/** Those of our names: somebody else's certificate in the namespace is nobody's alert. Its namespace is renamed by default. */
const expiry = (names: readonly string[]): string => {
  const ours = `name=~"${names.join("|")}"`;
  return `(${EXPIRES}{exported_namespace="$namespace",${ours}} or ${EXPIRES}{namespace="$namespace",${ours}}) - time()`;
};

const certificatesEnd = (alerts: readonly Alert[]): Panel[] => {
  const panel = (kind: keyof typeof CERTIFICATE_LIMITS, names: readonly string[]) =>
    ({
      kind: "series",
      unit: "s",
      belowZero: true,
      queries: [{ expr: expiry(names), legend: "{{name}}" }],
      limits: Object.entries(CERTIFICATE_LIMITS[kind]).map(([name, end]) => limitAt(alerts, name, "below", end)),
    }) as const;
  return [
    {
      ...panel("leaves", [NATS.serverCertificate, NATS.routeCertificate, clientCertificate(".+")]),
      title: "How long are certificates valid?",
      description:
        "cert-manager renews a third before the end. What goes on falling is not renewed: look at the Certificate.",
    },
    {
      ...panel("authorities", [NATS.caSecret, NATS.routeCaSecret]),
      title: "How long are the authorities valid?",
      description:
        "cert-manager renews them a year before the end; then clients have to be told of the new one, and whoever is not cannot connect.",
    },
  ];
};
