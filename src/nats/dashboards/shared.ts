/** Panels that the overview shows as well. */
import { chosen, type Panel, type Query } from "../../grafana/dashboard.ts";
import { alertsIn, limitAt, limitsOf } from "../../grafana/limit.ts";
import { NATS } from "../../kubernetes/names.ts";
import { keeperOf, REFUSALS } from "../../model/audit.ts";
import type { Model } from "../../model/resolve.ts";
import { natsAlerts } from "../alerts.ts";
import { published } from "../series.ts";
import { deadLettersLimit } from "../thresholds.ts";
import { answering, deadLetterStreams, STREAM_LEADER } from "./series.ts";

const alertsOn = (model: Model) => alertsIn(natsAlerts(model));

export const servers = (model: Model): Panel => ({
  kind: "stat",
  title: "How many NATS servers answer?",
  description: "With two of three streams keep going; with one of three every replicated stream stops.",
  unit: "short",
  queries: [{ expr: `count(${answering}) or vector(0)`, legend: "servers" }],
  limits: limitsOf(alertsOn(model), "NatsDown", ...(model.environment.nats.servers > 1 ? ["NatsServerMissing"] : [])),
});

/** Not for a server that stands alone: it has no meta group. */
export const leaderless = (model: Model): Panel => ({
  kind: "stat",
  title: "How many NATS servers know no meta leader?",
  description: "Without one no stream or consumer can be created or changed, and none elects a leader.",
  unit: "short",
  queries: [
    {
      expr: `count(${chosen("nats_server_jetstream_disabled", 'meta_leader=""')} == 0) or vector(0)`,
      legend: "servers",
    },
  ],
  limits: limitsOf(alertsOn(model), "NatsNoMetaLeader"),
});

export const volumes = (model: Model): Panel => {
  const claims = `persistentvolumeclaim=~"${NATS.dataClaim}-${NATS.name}-[0-9]+"`;
  const [left, whole] = ["available", "capacity"].map((what) => chosen(`kubelet_volume_stats_${what}_bytes`, claims));
  return {
    kind: "series",
    title: "How much of each NATS volume is left?",
    description: "Real bytes, raft logs included. A full volume makes the server switch JetStream off.",
    unit: "percentunit",
    queries: [{ expr: `${left} / ${whole}`, legend: "{{persistentvolumeclaim}}" }],
    limits: limitsOf(alertsOn(model), "NatsVolumeFilling"),
  };
};

export const deadLetters = (model: Model): Panel => {
  const limits = model.streams.flatMap((stream) => deadLettersLimit(stream) ?? []);
  return {
    kind: "stat",
    title: "How many dead letters lie there?",
    description: "Messages that a service could not handle three times. Look at their reasons before you replay them.",
    unit: "short",
    queries: [
      {
        expr: `max(${chosen("nats_stream_total_messages", `stream_name=~"${deadLetterStreams(model)}"`, STREAM_LEADER)})`,
        legend: "messages",
      },
    ],
    limits: [limitAt(alertsOn(model), "NatsDeadLetters", "above", Math.min(...limits))],
  };
};

/** None where no stream keeps refusals. */
export function refusedLogins(model: Model): Panel[] {
  const keeper = keeperOf(REFUSALS, model);
  if (!keeper) return [];
  const refused = published("namespace", `namespace="$namespace",stream_name="${keeper.name}"`);
  return [
    {
      kind: "stat",
      title: "How many logins are refused?",
      description: "In ten minutes. `bin/circl audit --failed-logins` says which user, from where.",
      unit: "short",
      queries: [{ expr: refused, legend: "logins" }],
      limits: limitsOf(alertsOn(model), "NatsLoginsRefused"),
    },
  ];
}

/** What each of these alerts compares, as a share of what it compares with: by stream and consumer, from the definitions. */
const COMPARED: readonly (readonly [alert: string, measure: string, record: string, labels: string, legend: string])[] =
  [
    [
      "NatsConsumerBacklog",
      "leader",
      "consumer:nats_consumer_num_pending",
      "stream_name, consumer_name",
      "{{stream_name}}/{{consumer_name}} waiting",
    ],
    [
      "NatsConsumerRedelivering",
      "in_hand",
      "consumer:nats_consumer_num_redelivered",
      "stream_name, consumer_name",
      "{{stream_name}}/{{consumer_name}} again",
    ],
    ["NatsPublishRateExceeded", "rate10m", "stream:nats_stream_last_seq", "stream_name", "{{stream_name}} rate"],
    [
      "NatsSourceLagging",
      "leader",
      "source:nats_stream_source_lag",
      "stream_name, source_name",
      "{{stream_name}} behind {{source_name}}",
    ],
    ["NatsDeadLetters", "leader", "stream:nats_stream_total_messages", "stream_name", "{{stream_name}} dead letters"],
  ];

/** Only where our rules are evaluated: thresholds are recorded by them. */
export function nearestLimits(model: Model): Panel {
  const alerts = alertsOn(model);
  const present = COMPARED.filter(([name]) => alerts.some(({ alert }) => alert === name));
  return {
    kind: "series",
    title: "What is nearest to its limit?",
    description:
      "Every stream and consumer as share of what its alert compares with: waiting, delivered again, published, behind its origin, dead. Above 1 it calls.",
    unit: "percentunit",
    queries: present.map(
      ([, measure, record, labels, legend]): Query => ({
        expr: `${chosen(`${record}:${measure}`)} / on (namespace, ${labels}) ${chosen(`${record}:threshold`)}`,
        legend,
      }),
    ),
    limits: present.map(([name]) => limitAt(alerts, name, "above", 1)),
  };
}
