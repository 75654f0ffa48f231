/** How Prometheus scrapes the NATS servers, and what it keeps. */
import { metricsOf, type Relabeling, type ServiceMonitorSpec } from "../kubernetes/service-monitor.ts";
import type { Model } from "../model/resolve.ts";
import { quoted } from "./series.ts";

export const natsServiceMonitor = (model: Model): ServiceMonitorSpec =>
  metricsOf("nats", {
    metricRelabelings: [declared(model), ...STEADY],
    sampleLimit: sampleLimit(model),
    // Consumers that clients make are in the body and dropped only then: room for thousands of them.
    bodySizeLimit: "64MiB",
  });

/**
 * Streams and consumers that are defined, and no others: clients create them by the thousand under random names (watchers of
 * buckets, ordered consumers), and a scrape above its limit is lost as a whole. `nats_server_*` still counts all of them.
 */
const declared = ({ streams }: Model): Relabeling => ({
  sourceLabels: ["stream_name", "consumer_name"],
  regex: [
    ";",
    ...streams.map(({ name, consumers }) => `${quoted(name)};(${consumers.map((own) => quoted(own.name)).join("|")})?`),
  ].join("|"),
  action: "keep",
});

/** Takes a label away. An empty group is an empty label; an empty `replacement` would be the operator's word for the default. */
const without = (metrics: string, ...labels: readonly string[]): Relabeling[] =>
  labels.map((targetLabel) => ({
    sourceLabels: ["__name__"],
    regex: `nats_${metrics}()`,
    targetLabel,
    action: "replace",
  }));

/**
 * What changes at every election or start, on series that are about something else: each change would begin them anew, and
 * rates over them would miss it. What is counted over time names no leader at all; what is only looked at now is selected by
 * it. Labels that repeat another, and free text, go too.
 */
const STEADY: readonly Relabeling[] = [
  { sourceLabels: ["__name__"], regex: "nats_(varz|routez|subsz)_server_id", action: "drop" },
  ...without("(?:stream|consumer|account)_.+", "meta_leader"),
  ...without("(?:consumer_.+|stream_last_seq)", "stream_leader", "is_stream_leader"),
  ...without("consumer_(?:delivered_consumer|ack_floor_consumer)_seq", "consumer_leader", "is_consumer_leader"),
  { regex: "account|account_id|consumer_desc|domain|is_meta_leader|stream_raft_group", action: "labeldrop" },
];

/**
 * Twice what the exporter 0.20.1 shows for what is declared: 300 samples of the server and its accounts, 13 a stream with one
 * source, 10 a consumer. Counted after relabelling.
 */
const sampleLimit = ({ streams }: Model): number =>
  2 * streams.reduce((sum, { sources, consumers }) => sum + 11 + 2 * sources.length + 10 * consumers.length, 500);
