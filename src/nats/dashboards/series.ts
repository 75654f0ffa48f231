/** What panels of the NATS servers ask again and again. Every server reports its own replica, so sums take the leader's alone. */
import { chosen, growth } from "../../grafana/dashboard.ts";
import { NATS } from "../../kubernetes/names.ts";
import type { Model } from "../../model/resolve.ts";

export const STREAM_LEADER = 'is_stream_leader="true"';
export const CONSUMER_LEADER = 'is_consumer_leader="true"';

/** Messages stored a second by stream. Sequences are the same on every replica, and go on when the leader changes. */
export const storedBy = (...matchers: readonly string[]): string =>
  `max by (stream_name) (${growth("nats_stream_last_seq", ...matchers)})`;

/** Streams that take dead letters, for `stream_name=~`. */
export const deadLetterStreams = ({ streams }: Model): string =>
  streams
    .filter(({ publishers }) => publishers.some(({ deadLettersOf }) => deadLettersOf !== undefined))
    .map(({ name }) => name)
    .join("|");

/** Claims of the servers, as kubelet names them. */
const CLAIMS = `persistentvolumeclaim=~"${NATS.dataClaim}-${NATS.name}-[0-9]+"`;

/** What is left of each server's volume, 0 to 1: real bytes, with the raft logs that JetStream does not count. */
export const volumeLeft =
  `${chosen("kubelet_volume_stats_available_bytes", CLAIMS)} / ` +
  chosen("kubelet_volume_stats_capacity_bytes", CLAIMS);
