/** Which time series are those of this environment's NATS servers, and of its streams. */
import type { Environment } from "../model/environment.ts";
import type { Model } from "../model/resolve.ts";

/** Label matchers of every server; job is `app.kubernetes.io/name` of the metrics Service. */
export const ours = ({ kubernetes }: Environment): string => `job="nats",namespace="${kubernetes.namespace}"`;

/** Streams lie in the one account that has JetStream. */
export const ofStreams = (environment: Environment): string => `${ours(environment)},account_name="CIRCL"`;

/**
 * One series for each server that answers now. The exporter keeps serving the last `nats_varz_*` of a server that died, for
 * as long as it lives itself (0.20.1, seen); what it reads from /jsz goes with the server.
 */
export const answering = (environment: Environment): string => `nats_server_jetstream_disabled{${ours(environment)}}`;

/** `expr` on `nats_varz_*` where the server still answers. Both carry the server's name as `server_id`. */
export const alive = (environment: Environment, expr: string): string =>
  `${expr} and on (namespace, server_id) ${answering(environment)}`;

/**
 * Messages that streams took within ten minutes, by `labels`. Each replica counts for itself, and one that catches up counts what it
 * is given: only what the highest has grown by was published. Nothing during the first ten minutes, 0 for a stream that was made anew.
 */
export const published = (labels: string, matchers: string): string => {
  const last = `nats_stream_last_seq{${matchers}}`;
  return `clamp_min(max by (${labels}) (${last}) - max by (${labels}) (${last} offset 10m), 0)`;
};

/** What a copy says of its origins. A mirror is a stream with one source, under other names. */
export const ofOrigins = (streams: Model["streams"], what: "active_duration_ns" | "lag", matchers: string): string =>
  [
    `nats_stream_source_${what}{${matchers}}`,
    ...(streams.some(({ mirror }) => mirror !== undefined)
      ? [`label_replace(nats_stream_mirror_${what}{${matchers}}, "source_name", "$1", "mirror_name", "(.+)")`]
      : []),
  ].join(" or ");

/** A name as a regular expression of RE2; stream names may have almost any sign. */
export const quoted = (name: string): string => name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** The same as a string of PromQL, which has escapes of its own. */
export const oneOf = (names: readonly string[]): string => JSON.stringify(names.map(quoted).join("|"));
