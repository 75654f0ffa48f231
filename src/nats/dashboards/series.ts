/** What panels of the NATS servers ask again and again. Every server reports its own replica, so sums take the leader's alone. */
import { chosen, growth } from "../../grafana/dashboard.ts";
import type { Model } from "../../model/resolve.ts";
import { deadLettersLimit } from "../thresholds.ts";

export const STREAM_LEADER = 'is_stream_leader="true"';
export const CONSUMER_LEADER = 'is_consumer_leader="true"';

/** One series for each server that answers now: the exporter goes on showing `nats_varz_*` of a server that died. */
export const answering: string = chosen("nats_server_jetstream_disabled");

/** `expr` on `nats_varz_*` where the server still answers. */
export const alive = (expr: string): string => `${expr} and on (namespace, server_id) ${answering}`;

/**
 * Messages stored a second by stream. Sequences are the same on every replica, and go on when the leader changes. The middle one of
 * three: a replica that catches up counts what it is given.
 */
export const storedBy = (...matchers: readonly string[]): string =>
  `quantile by (stream_name) (0.5, ${growth("nats_stream_last_seq", ...matchers)})`;

/** Streams that take dead letters, for `stream_name=~`; empty where there are none. */
export const deadLetterStreams = ({ streams }: Model): string =>
  streams
    .filter((stream) => deadLettersLimit(stream) !== undefined)
    .map(({ name }) => name)
    .join("|");

/** Whether the cluster evaluates our rules: without them there are no series of thresholds to compare with. */
export const hasRules = ({ environment }: Model): boolean => environment.monitoring.operator === "prometheus-operator";
