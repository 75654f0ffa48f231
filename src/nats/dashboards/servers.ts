/** The dashboard of the NATS servers: is each of them there, with room to spare, and one cluster with the others? */
import { chosen, type Dashboard, growth, type Panel, type Row } from "../../grafana/dashboard.ts";
import { alertsIn, limitsOf } from "../../grafana/limit.ts";
import { memoryShare } from "../../grafana/pods.ts";
import { NATS } from "../../kubernetes/names.ts";
import type { Model } from "../../model/resolve.ts";
import { natsAlerts } from "../alerts.ts";
import { volumeLeft } from "./series.ts";

export const natsDashboard = (model: Model): Dashboard => ({
  name: "nats",
  title: "NATS servers",
  description: "A server is missing, slow or full, or clients cannot connect.",
  series: "nats_varz_connections",
  variables: [],
  rows: [
    membership(model),
    traffic,
    { title: "JetStream on each server", panels: [storage, requests, waits] },
    room(model),
    ...(model.environment.nats.tls ? [{ title: "Certificates", panels: [expiry] }] : []),
  ],
});

export const answering = (model: Model): Panel => ({
  kind: "stat",
  title: "How many NATS servers answer?",
  description: "With two of three streams keep going; with one of three every replicated stream stops.",
  unit: "short",
  queries: [{ expr: `count(${chosen("nats_server_total_streams")}) or vector(0)`, legend: "servers" }],
  limits: limitsOf(alertsIn(natsAlerts(model)), "NatsDown"),
});

export const leaderless = (model: Model): Panel => ({
  kind: "stat",
  title: "How many NATS servers know no meta leader?",
  description: "Without one no stream or consumer can be created or changed, and none elects a leader.",
  unit: "short",
  queries: [
    { expr: `count(${chosen("nats_server_total_streams", 'meta_leader=""')}) or vector(0)`, legend: "servers" },
  ],
  limits: limitsOf(alertsIn(natsAlerts(model)), "NatsNoMetaLeader"),
});

const peers: Panel = {
  kind: "series",
  title: "How many others does each server see?",
  description: "One fewer than there are servers. Less on one server alone: its routes; less on all: a server is gone.",
  unit: "short",
  queries: [{ expr: chosen("nats_varz_remotes"), legend: "{{pod}}" }],
};

const versions: Panel = {
  kind: "stat",
  title: "Which version runs where?",
  description: "Two versions at once are an update that is under way or stuck.",
  unit: "short",
  queries: [{ expr: `count by (value) (${chosen("nats_varz_version")})`, legend: "{{value}}" }],
};

const restarts: Panel = {
  kind: "stat",
  title: "When did each server start?",
  description: "A start that nobody planned: look at the pod's last state for the reason, most often memory.",
  unit: "dateTimeFromNow",
  queries: [{ expr: chosen("nats_varz_start"), legend: "{{pod}}" }],
};

const reloads: Panel = {
  kind: "stat",
  title: "When was the configuration loaded?",
  description:
    "After a change of users, certificates or limits every server says so within minutes. An older time is a refused reload: the log says which key.",
  unit: "dateTimeFromNow",
  queries: [{ expr: chosen("nats_varz_config_load_time"), legend: "{{pod}}" }],
};

const membership = (model: Model): Row => ({
  title: "Are they there?",
  panels: [
    answering(model),
    ...(model.environment.nats.servers > 1 ? [leaderless(model), peers] : []),
    versions,
    restarts,
    reloads,
  ],
});

const traffic: Row = {
  title: "What do clients do?",
  panels: [
    {
      kind: "series",
      title: "How near are connections to the limit?",
      description: "Share of max_connections. At 1 the next client is refused.",
      unit: "percentunit",
      queries: [
        { expr: `${chosen("nats_varz_connections")} / ${chosen("nats_varz_max_connections")}`, legend: "{{pod}}" },
      ],
    },
    {
      kind: "series",
      title: "How many messages go in and out?",
      description:
        "Between clients and servers, a second. Out above in is fan-out; in without out is nobody listening.",
      unit: "cps",
      queries: [
        { expr: `sum(${growth("nats_varz_in_client_msgs")})`, legend: "in" },
        { expr: `sum(${growth("nats_varz_out_client_msgs")})`, legend: "out" },
      ],
    },
    {
      kind: "series",
      title: "Who reads too slowly?",
      description:
        "Connections cut because their buffer was full, in five minutes. The log of that server names the client.",
      unit: "short",
      queries: [{ expr: `increase(${chosen("nats_varz_slow_consumers")}[5m])`, legend: "{{pod}}" }],
    },
  ],
};

const storage: Panel = {
  kind: "series",
  title: "How full is the file store?",
  description:
    "Share of max_file_store: used by messages, and reserved by the limits of streams. No stream is created beyond it.",
  unit: "percentunit",
  queries: ["storage", "reserved_storage"].map((used) => ({
    expr: `${chosen(`nats_varz_jetstream_stats_${used}`)} / ${chosen("nats_varz_jetstream_config_max_storage")}`,
    legend: used === "storage" ? "{{pod}} used" : "{{pod}} reserved",
  })),
};

const requests: Panel = {
  kind: "series",
  title: "How many API requests are there, and how many fail?",
  description:
    "A second. Failures without a deploy: a client that looks for what does not exist, or a stream without a leader.",
  unit: "ops",
  queries: [
    { expr: `sum(${growth("nats_varz_jetstream_stats_api_total")})`, legend: "requests" },
    { expr: `sum(${growth("nats_varz_jetstream_stats_api_errors")})`, legend: "failures" },
  ],
};

const waits: Panel = {
  kind: "series",
  title: "What waits in the meta group?",
  description:
    "Changes of streams and consumers that are not yet applied, and operations that wait for the disk. Above 0 for long is a slow disk.",
  unit: "short",
  queries: [
    { expr: chosen("nats_varz_jetstream_meta_pending"), legend: "{{pod}} changes" },
    { expr: chosen("nats_varz_disk_io_wait_stats_waiters"), legend: "{{pod}} disk" },
  ],
};

export const volumes = (model: Model): Panel => ({
  kind: "series",
  title: "How much of each NATS volume is left?",
  description: "Real bytes, raft logs included. A full volume makes the server switch JetStream off.",
  unit: "percentunit",
  queries: [{ expr: volumeLeft, legend: "{{persistentvolumeclaim}}" }],
  limits: limitsOf(alertsIn(natsAlerts(model)), "NatsVolumeFilling"),
});

const room = (model: Model): Row => ({
  title: "Is there room?",
  panels: [
    volumes(model),
    {
      kind: "series",
      title: "How near is memory to the limit?",
      description: "Share of the container's limit. At 1 the kernel ends the server.",
      unit: "percentunit",
      queries: [{ expr: memoryShare(NATS.name), legend: "{{pod}}" }],
    },
    {
      kind: "series",
      title: "How busy are the processors?",
      description: "Per cent of one core. Elections that nobody asked for mostly come with this at its ceiling.",
      unit: "percent",
      queries: [{ expr: chosen("nats_varz_cpu"), legend: "{{pod}}" }],
    },
  ],
});

const EXPIRES = "certmanager_certificate_expiration_timestamp_seconds";

const expiry: Panel = {
  kind: "series",
  title: "How long are certificates valid?",
  description:
    "cert-manager renews a third before the end. What goes on falling is not renewed: look at the Certificate.",
  unit: "s",
  queries: [
    // The certificate's own namespace is renamed where Prometheus does not honour labels (the chart's default).
    {
      expr: `(${EXPIRES}{namespace="$namespace"} or ${EXPIRES}{exported_namespace="$namespace"}) - time()`,
      legend: "{{name}}",
    },
  ],
};
