/** The dashboard of streams and consumers: does what is published arrive, stay as long as meant, and get handled? */
import { chosen, type Dashboard, growth, type Panel, type Row } from "../../grafana/dashboard.ts";
import { alertsIn, type Limit, limitAt, limitsOf } from "../../grafana/limit.ts";
import type { Model } from "../../model/resolve.ts";
import { namesOfOrigins } from "../../model/traffic.ts";
import { natsAlerts } from "../alerts.ts";
import { ofOrigins, oneOf } from "../series.ts";
import { NEARLY_FULL, refusingStreams } from "../stream-alerts.ts";
import { silenceLimit } from "../thresholds.ts";
import { CONSUMER_LEADER, deadLetterStreams, hasRules, STREAM_LEADER, storedBy } from "./series.ts";
import { deadLetters, nearestLimits } from "./shared.ts";

const STREAM = 'stream_name=~"$stream"';
const CONSUMER = 'consumer_name=~"$consumer"';

/** Limits of alerts that name what they compare with in another way than at their end. */
type LimitAt = (alert: string, bad: Limit["bad"], value: number) => Limit;

export function jetstreamDashboard(model: Model): Dashboard {
  const alerts = alertsIn(natsAlerts(model));
  const at: LimitAt = (alert, bad, value) => limitAt(alerts, alert, bad, value);
  // A server that stands alone names no leader of its streams.
  const led = model.environment.nats.servers > 1 && model.streams.length > 0;
  const replicated = model.streams.some(({ replicas }) => replicas > 1);
  const copies = model.streams.some((stream) => namesOfOrigins(stream).length > 0);
  return {
    name: "jetstream",
    title: "streams and consumers",
    description: "Messages are late, missing, refused or handled again and again.",
    series: "nats_stream_total_messages",
    variables: [
      { name: "stream", label: "Stream", series: "nats_stream_total_messages", valuesOf: "stream_name" },
      { name: "consumer", label: "Consumer", series: "nats_consumer_num_pending", valuesOf: "consumer_name" },
    ],
    rows: [
      ...(hasRules(model) ? [{ title: "What comes next?", panels: [nearestLimits(model)] }] : []),
      {
        title: "Does it arrive?",
        panels: [
          stored,
          ...(led ? [leaderless(model, at)] : []),
          ...(replicated ? [behind(limitsOf(alerts, "NatsStreamReplicaLagging"))] : []),
        ],
      },
      keeping(model),
      ...(copies ? [copying(model, silences(model, at))] : []),
      handling,
      ...(deadLetterStreams(model) === "" ? [] : [failing(model)]),
    ],
  };
}

const stored: Panel = {
  kind: "series",
  title: "How much arrives?",
  description:
    "Messages stored a second. Nothing where there was something: the publisher, or a stream that refuses (discard new, no leader).",
  unit: "cps",
  queries: [{ expr: storedBy(STREAM), legend: "{{stream_name}}" }],
};

/** Where our rules are evaluated, as the alert asks: of what is declared. Servers say nothing of a stream that is not there. */
const leaderless = (model: Model, at: LimitAt): Panel => {
  const declared = chosen("stream:nats_stream_replicas:declared", STREAM);
  const led = chosen("stream:nats_stream_total_messages:leader", STREAM);
  const said = chosen("nats_stream_total_messages", STREAM);
  const expr = hasRules(model)
    ? `max by (stream_name) (${declared} unless on (namespace, stream_name) ${led}) or 0 * max by (stream_name) (${declared})`
    : `count by (stream_name) (${chosen("nats_stream_total_messages", STREAM, 'stream_leader=""')}) or 0 * max by (stream_name) (${said})`;
  return {
    kind: "series",
    title: "Which streams have no leader?",
    description:
      "Those above 0. Publishers get no answer: too many of its servers are gone, or it is not there. `bin/circl status` says which.",
    unit: "short",
    queries: [{ expr, legend: "{{stream_name}}" }],
    limits: [at("NatsStreamWithoutLeader", "above", 0)],
  };
};

const behind = (limits: readonly Limit[]): Panel => {
  const last = chosen("nats_stream_last_seq", STREAM);
  return {
    kind: "series",
    title: "What does a replica lack that is two minutes old?",
    description: "Messages. Growing: one server cannot keep up, or is cut off. Less than 0 is none.",
    unit: "short",
    belowZero: true,
    queries: [
      {
        expr: `max by (stream_name) (${last} offset 2m) - min by (stream_name) (${last})`,
        legend: "{{stream_name}}",
      },
    ],
    limits,
  };
};

/** A stream without this limit reports -1 or 0 and has no share. */
const share = (used: string, limit: string): string =>
  `max by (stream_name) (${chosen(used, STREAM, STREAM_LEADER)} / (${chosen(limit, STREAM, STREAM_LEADER)} > 0))`;

/** Streams that take nothing more when they are full; the others are full most of the time. */
const refusing = (model: Model): Panel[] => {
  const streams = refusingStreams(model);
  if (streams.length === 0) return [];
  const matchers = [STREAM, STREAM_LEADER, `stream_name=~${oneOf(streams)}`];
  const part = (of: "bytes" | "messages") =>
    `${chosen(`nats_stream_total_${of}`, ...matchers)} / (${chosen(`nats_stream_limit_${of}`, ...matchers)} > 0)`;
  return [
    {
      kind: "series",
      title: "How full are streams that refuse when they are?",
      description:
        "Share of max_bytes or of max_msgs, whichever is nearer. At 1 publishers, and writers of a bucket, are refused.",
      unit: "percentunit",
      queries: (["bytes", "messages"] as const).map((of) => ({
        expr: `max by (stream_name) (${part(of)})`,
        legend: `{{stream_name}} by ${of}`,
      })),
      limits: [limitAt(alertsIn(natsAlerts(model)), "NatsStreamNearlyFull", "above", NEARLY_FULL)],
    },
  ];
};

const keeping = (model: Model): Row => ({
  title: "Does it stay?",
  panels: [
    ...refusing(model),
    {
      kind: "series",
      title: "How full is each stream by bytes?",
      description:
        "Share of max_bytes. At 1 the oldest message goes with every new one, before its age: see how fast it fills.",
      unit: "percentunit",
      queries: [{ expr: share("nats_stream_total_bytes", "nats_stream_limit_bytes"), legend: "{{stream_name}}" }],
    },
    ...(model.streams.some(({ maxMsgs }) => maxMsgs > 0)
      ? [
          {
            kind: "series",
            title: "How full is each stream by messages?",
            description: "Share of max_msgs; as for bytes.",
            unit: "percentunit",
            queries: [
              { expr: share("nats_stream_total_messages", "nats_stream_limit_messages"), legend: "{{stream_name}}" },
            ],
          } as const,
        ]
      : []),
    {
      kind: "series",
      title: "How much does each stream hold?",
      description:
        "Messages now. A sudden fall is a purge, a lowered limit or a new stream of the same name: `bin/circl audit` says who did it.",
      unit: "short",
      queries: [
        {
          expr: `max by (stream_name) (${chosen("nats_stream_total_messages", STREAM, STREAM_LEADER)})`,
          legend: "{{stream_name}}",
        },
      ],
    },
  ],
});

/** The shortest: each copy has its own. */
const silences = (model: Model, at: LimitAt): Limit[] => {
  const allowed = model.streams.flatMap((stream) =>
    namesOfOrigins(stream).map((origin) => silenceLimit(stream, origin, model)),
  );
  return [at("NatsSourceStalled", "above", Math.min(...allowed)), at("NatsSourceStalled", "below", 0)];
};

const sourceLegend = "{{stream_name}} from {{source_name}}";

const copying = ({ streams }: Model, limits: readonly Limit[]): Row => {
  const matchers = ['namespace="$namespace"', STREAM, STREAM_LEADER].join(",");
  const said = (what: "active_duration_ns" | "lag") =>
    `max by (stream_name, source_name) (${ofOrigins(streams, what, matchers)})`;
  return {
    title: "Are copies level with their origins?",
    panels: [
      {
        kind: "series",
        title: "How far do copies lag?",
        description:
          "Messages not yet copied when the origin was last heard of. Without its origin a copy keeps its last figure: compare with the next panel. 0 while nothing is copied may be a message that does not fit.",
        unit: "short",
        queries: [{ expr: said("lag"), legend: sourceLegend }],
      },
      {
        kind: "series",
        title: "When did copies last hear of their origin?",
        description:
          "Steadily growing is a copy whose origin is gone, has no leader or cannot be reached. Never is less than 0.",
        unit: "s",
        belowZero: true,
        queries: [{ expr: `${said("active_duration_ns")} / 1e9`, legend: sourceLegend }],
        limits,
      },
    ],
  };
};

const ofConsumer = (metric: string): string =>
  `max by (stream_name, consumer_name) (${chosen(metric, STREAM, CONSUMER, CONSUMER_LEADER)})`;
const consumerLegend = "{{stream_name}}/{{consumer_name}}";

/** Messages that were given up count as redelivered until the stream drops them: no more than are in hand are given again. */
const inHandAgain = `${ofConsumer("nats_consumer_num_redelivered")} < ${ofConsumer("nats_consumer_num_ack_pending")} or ${ofConsumer("nats_consumer_num_ack_pending")}`;

const handling: Row = {
  title: "Is it handled?",
  panels: [
    {
      kind: "series",
      title: "How much waits?",
      description: "Messages not yet delivered. Growing while the next panel shows nothing: nobody fetches.",
      unit: "short",
      queries: [{ expr: ofConsumer("nats_consumer_num_pending"), legend: consumerLegend }],
    },
    {
      kind: "series",
      title: "How fast is it handled?",
      description: "Messages acknowledged a second, in order.",
      unit: "cps",
      queries: [
        {
          expr: `max by (stream_name, consumer_name) (${growth("nats_consumer_ack_floor_consumer_seq", STREAM, CONSUMER)})`,
          legend: consumerLegend,
        },
      ],
    },
    {
      kind: "series",
      title: "What is delivered and not acknowledged?",
      description: "At max_ack_pending delivery stops. High and flat: the service has hung with messages in its hands.",
      unit: "short",
      queries: [{ expr: ofConsumer("nats_consumer_num_ack_pending"), legend: consumerLegend }],
    },
    {
      kind: "series",
      title: "What is delivered again?",
      description:
        "Messages now in hand for the second time or more. A message that always fails blocks nobody, but ends as a dead letter.",
      unit: "short",
      queries: [{ expr: inHandAgain, legend: consumerLegend }],
    },
  ],
};

const failing = (model: Model): Row => ({
  title: "What was given up?",
  panels: [
    deadLetters(model),
    {
      kind: "series",
      title: "When did dead letters arrive?",
      description: "A minute. A burst follows a deploy; a steady trickle is one kind of message.",
      unit: "short",
      queries: [{ expr: `60 * ${storedBy(`stream_name=~"${deadLetterStreams(model)}"`)}`, legend: "{{stream_name}}" }],
    },
  ],
});
