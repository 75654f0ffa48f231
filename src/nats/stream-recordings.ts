/** What alerts and dashboards say about streams and consumers, once: one value each, whichever servers report it. */
import type { Recording } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { namesOfOrigins, originsOf } from "../model/traffic.ts";
import { SECOND } from "../units.ts";
import { ofOrigins, ofStreams, published } from "./series.ts";
import {
  deadLettersLimit,
  pendingLimit,
  publishRateLimit,
  redeliveredLimit,
  silenceLimit,
  sourceLagLimit,
  standstillOf,
} from "./thresholds.ts";

/** Every server reports its own replica, so these take the leader's, or the highest. */
export function measurements({ environment, streams }: Model): Recording[] {
  if (streams.length === 0) return [];
  const here = ofStreams(environment);
  const lead = `${here},is_stream_leader="true"`;
  const consumerLead = `${here},is_consumer_leader="true"`;
  const perStream = (metric: string, matchers: string) => `max by (namespace, stream_name) (${metric}{${matchers}})`;
  const perConsumer = (metric: string, matchers: string) =>
    `max by (namespace, stream_name, consumer_name) (nats_consumer_${metric}{${matchers}})`;
  const sourced = (what: "active_duration_ns" | "lag") =>
    `max by (namespace, stream_name, source_name) (${ofOrigins(streams, what, lead)})`;
  return [
    { record: "stream:nats_stream_total_messages:leader", expr: perStream("nats_stream_total_messages", lead) },
    { record: "stream:nats_stream_last_seq:rate10m", expr: `${published("namespace, stream_name", here)} / 600` },
    ...streams.flatMap((stream) =>
      [...new Set(originsOf(stream).map(({ name }) => name))].map((name) => ({
        record: "source:nats_stream_last_seq:delta10m",
        expr: published("namespace", `${here},stream_name="${name}"`),
        labels: { stream_name: stream.name, source_name: name },
      })),
    ),
    ...(streams.some((stream) => namesOfOrigins(stream).length > 0)
      ? [
          { record: "stream:nats_stream_last_seq:max", expr: perStream("nats_stream_last_seq", here) },
          { record: "source:nats_stream_source_lag:leader", expr: sourced("lag") },
          { record: "source:nats_stream_source_active_duration_ns:leader", expr: sourced("active_duration_ns") },
        ]
      : []),
    { record: "consumer:nats_consumer_num_pending:leader", expr: perConsumer("num_pending", consumerLead) },
    { record: "consumer:nats_consumer_num_redelivered:leader", expr: perConsumer("num_redelivered", consumerLead) },
    // A message that is given again counts as redelivered and as pending; one given up after max_deliver only as redelivered, as long
    // as the stream has it (seen on 2.12, 2.14 and 2.15). With others pending this is less than there are, never more.
    {
      record: "consumer:nats_consumer_given_up:least",
      expr: `clamp_min(${perConsumer("num_redelivered", consumerLead)} - ${perConsumer("num_ack_pending", consumerLead)}, 0)`,
    },
    {
      record: "consumer:nats_consumer_num_redelivered:in_hand",
      expr: `${perConsumer("num_redelivered", consumerLead)} - consumer:nats_consumer_given_up:least`,
    },
    {
      record: "consumer:nats_consumer_delivered_consumer_seq:max",
      expr: perConsumer("delivered_consumer_seq", here),
    },
  ];
}

/** Above how many messages of its origin a copy that took none is stuck, or may be. */
export const STANDSTILL = {
  certain: "source:nats_stream_last_seq:threshold",
  likely: "source:nats_stream_last_seq:part_threshold",
} as const;

/** What is declared, and where alerts begin, as series of their own: an alert is then one comparison for all streams. */
export function thresholds(model: Model): Recording[] {
  const { namespace } = model.environment.kubernetes;
  const constant = (record: string, value: number | undefined, labels: Record<string, string>): Recording[] =>
    value === undefined ? [] : [{ record, expr: `vector(${value})`, labels: { namespace, ...labels } }];
  return model.streams.flatMap((stream) => {
    const of = { stream_name: stream.name };
    return [
      ...constant("stream:nats_stream_replicas:declared", stream.replicas, of),
      ...constant("stream:nats_stream_total_messages:threshold", deadLettersLimit(stream), of),
      ...constant("stream:nats_stream_last_seq:threshold", publishRateLimit(stream, model), of),
      ...[...new Set(originsOf(stream).map(({ name }) => name))].flatMap((origin) => {
        const from = { ...of, source_name: origin };
        const { messages, certain } = standstillOf(stream, origin, model) ?? {};
        const standstill = certain ? STANDSTILL.certain : STANDSTILL.likely;
        return [
          ...constant("source:nats_stream_source_lag:threshold", sourceLagLimit(stream, origin, model), from),
          ...constant(standstill, messages, from),
        ];
      }),
      // Whoever the origin belongs to: that nothing is heard of it is seen here.
      ...namesOfOrigins(stream).flatMap((origin) =>
        constant(
          "source:nats_stream_source_active_duration_ns:threshold",
          silenceLimit(stream, origin, model) * SECOND,
          { ...of, source_name: origin },
        ),
      ),
      ...stream.consumers.flatMap((consumer) => {
        const read = { ...of, consumer_name: consumer.name };
        return [
          ...constant("consumer:nats_consumer_num_pending:threshold", pendingLimit(consumer, stream, model), read),
          ...constant("consumer:nats_consumer_num_redelivered:threshold", redeliveredLimit(consumer), read),
        ];
      }),
    ];
  });
}
