/** Which time series are those of this environment's NATS servers, and of its streams. */
import type { Environment } from "../model/environment.ts";

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

/** A name as a regular expression of RE2; stream names may have almost any sign. */
export const quoted = (name: string): string => name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** The same as a string of PromQL, which has escapes of its own. */
export const oneOf = (names: readonly string[]): string => JSON.stringify(names.map(quoted).join("|"));
