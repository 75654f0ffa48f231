/** Health of a live cluster against the model: what is there, who leads it, what it keeps in fact, and who lags behind. */
import type { Model } from "../model/resolve.ts";
import type { Stream } from "../model/stream.ts";
import { effectiveRetention, flowsInto } from "../model/traffic.ts";
import { formatDuration, SECOND } from "../units.ts";
import type { ServerIdentity, StreamInfo } from "./api.ts";
import type { Observed } from "./observe.ts";
import { type ConsumerHealth, consumerHealth } from "./status-consumers.ts";

/** Health of everything declared. `problems` are sentences; without any, all is well. */
export interface Health {
  readonly environment: string;
  readonly server: ServerIdentity;
  readonly streams: readonly StreamHealth[];
  readonly consumers: readonly ConsumerHealth[];
  /** On the server and not in streams/: counted, left aside. */
  readonly undeclared: { readonly streams: number; readonly consumers: number };
  readonly problems: number;
}

export interface StreamHealth {
  readonly name: string;
  readonly condition: "exists" | "missing" | "unknown";
  readonly problems: readonly string[];
  /** Only of a stream that exists. */
  readonly live?: LiveStream;
}

export interface LiveStream {
  /** Missing on a standalone server of an old version. */
  readonly leader?: string;
  readonly replicas: Replicas;
  readonly messages: Fill;
  readonly bytes: Fill;
  /** Nanoseconds since the oldest message was stored; missing where there is none. */
  readonly oldest?: number;
  /** What ends a message's life now. */
  readonly endedBy: "maxAge" | "maxMsgs" | "maxBytes" | "nothing";
  readonly sources: readonly SourceHealth[];
}

export interface Replicas {
  readonly wanted: number;
  /** The leader counts as one. */
  readonly current: number;
  readonly offline: readonly string[];
  /** The most that a replica is behind, in operations of its log. */
  readonly lag: number;
}

/** How far towards its limit. */
export interface Fill {
  readonly amount: number;
  /** -1 is unlimited. */
  readonly limit: number;
}

export interface SourceHealth {
  readonly name: string;
  /** Messages that are still to be copied. */
  readonly lag: number;
  /** Nanoseconds since the origin was heard of; -1 is never. */
  readonly active: number;
}

/** What the server says of a copy, besides what plans need. */
interface Origin {
  readonly name: string;
  readonly lag?: number;
  readonly active?: number;
  readonly error?: { readonly description?: string };
}
export type DetailedStreamInfo = StreamInfo & {
  readonly sources?: readonly Origin[];
  readonly mirror?: Origin;
};

/** @param now nanoseconds since 1970 */
export function status(model: Model, observed: Observed, now: number): Health {
  const streams = model.streams.map((stream) => streamHealth(stream, model, observed, now));
  const consumers = model.streams.flatMap((stream) => {
    const { live } = streams.find(({ name }) => name === stream.name) ?? {};
    return stream.consumers.map((consumer) => consumerHealth(consumer, stream, live, observed, now));
  });
  return {
    environment: model.environment.name,
    server: observed.server,
    streams,
    consumers,
    undeclared: undeclaredIn(observed, model),
    problems: [...streams, ...consumers].reduce((sum, { problems }) => sum + problems.length, 0),
  };
}

function streamHealth(stream: Stream, model: Model, observed: Observed, now: number): StreamHealth {
  const { name } = stream;
  const found = observed.streams.find((candidate) => candidate.name === name);
  if (!found) return { name, condition: "missing", problems: [`is missing: \`circl apply ${model.key}\` creates it`] };
  if (found.status === "unknown") return { name, condition: "unknown", problems: [`is unknown: ${found.why}`] };
  const live = liveStream(found.info, now);
  const problems = [
    ...replicaProblems(found.info, live.replicas),
    ...keepingProblems(stream, live, model, found.info),
    ...originsOf(found.info).flatMap(sourceProblems),
  ];
  return { name, condition: "exists", problems, live };
}

function liveStream(info: StreamInfo, now: number): LiveStream {
  const { config, state, cluster } = info;
  const peers = cluster?.replicas ?? [];
  const messages = { amount: state.messages, limit: limitOf(config.max_msgs) };
  const bytes = { amount: state.bytes, limit: limitOf(config.max_bytes) };
  const oldest = state.messages > 0 && state.first_ts ? Math.max(0, now - Date.parse(state.first_ts) * 1e6) : undefined;
  return {
    ...(cluster?.leader ? { leader: cluster.leader } : {}),
    replicas: {
      wanted: Number(config.num_replicas),
      current: 1 + peers.filter(({ current, offline }) => current && !offline).length,
      offline: peers.filter(({ offline }) => offline).map(({ name }) => name),
      lag: Math.max(0, ...peers.map(({ lag = 0 }) => lag)),
    },
    messages,
    bytes,
    ...(oldest === undefined ? {} : { oldest }),
    endedBy: isFull(messages, 1)
      ? "maxMsgs"
      : isFull(bytes, NEARLY)
        ? "maxBytes"
        : oldest !== undefined && isFull({ amount: oldest, limit: Number(config.max_age) }, NEARLY)
          ? "maxAge"
          : "nothing",
    sources: originsOf(info).map(({ name, lag = 0, active = -1 }) => ({ name, lag, active })),
  };
}

const limitOf = (limit: unknown): number => (Number(limit) > 0 ? Number(limit) : -1);
/** Sizes and ages never reach their limit exactly: the next message would not fit, or is not there yet. */
const NEARLY = 0.99;
const isFull = ({ amount, limit }: Fill, share: number): boolean => limit > 0 && amount >= share * limit;

function replicaProblems({ config, cluster }: StreamInfo, { wanted, offline }: Replicas): string[] {
  const peers = cluster?.replicas ?? [];
  const behind = peers.filter(({ current, offline: gone }) => !current && !gone);
  const known = 1 + peers.length;
  return [
    ...offline.map((name) => `has an offline replica: ${name}`),
    ...behind.map(({ name, lag = 0 }) => `has a replica that is not current: ${name}, ${lag} behind`),
    ...(known < wanted ? [`has ${known} of ${wanted} replicas`] : []),
    ...(cluster?.desired ? [`is being reconfigured to ${config.num_replicas} replicas`] : []),
  ];
}

/** A stream that is full keeps less than it was declared to keep, or takes nothing any more. */
function keepingProblems(
  stream: Stream,
  { endedBy, oldest = 0 }: LiveStream,
  model: Model,
  { config }: StreamInfo,
): string[] {
  if (endedBy !== "maxMsgs" && endedBy !== "maxBytes") return [];
  if (config.discard === "new") return [`is full (${endedBy}): publishes are refused`];
  const { lives } = effectiveRetention(stream, flowsInto(stream, model));
  if (oldest >= lives || lives === Number.POSITIVE_INFINITY) return [];
  return [
    `keeps a message for ${formatDuration(oldest)}, not ${formatDuration(lives)}: ${endedBy} ends it, so more flows in than is declared`,
  ];
}

/** The server hears of every origin at least each 10 s, and tries again after 20 to 120 s (stream.go, sourceHealthHB). */
const STALLED = 60 * SECOND;

const originsOf = (info: DetailedStreamInfo): readonly Origin[] => [
  ...(info.sources ?? []),
  ...(info.mirror ? [info.mirror] : []),
];

function sourceProblems({ name, lag = 0, active = -1, error }: Origin): string[] {
  if (error) return [`does not copy ${name}: ${error.description ?? "the server does not say why"}`];
  if (active >= STALLED) {
    return [`has not heard of its origin ${name} for ${formatDuration(active)}, and is ${lag} messages behind`];
  }
  // Also right after a start; a copy that then has something to fetch has not stalled, it has never begun.
  return active < 0 && lag > 0 ? [`has not begun to copy ${name}, and is ${lag} messages behind`] : [];
}

function undeclaredIn(observed: Observed, { streams }: Model): Health["undeclared"] {
  const declared = new Map(streams.map(({ name, consumers }) => [name, consumers.map((consumer) => consumer.name)]));
  const consumers = [...observed.consumers].flatMap(([stream, { known, unknown }]) =>
    [...known.map(({ name }) => name), ...unknown].filter((name) => !declared.get(stream)?.includes(name)),
  );
  return {
    streams: observed.streams.filter(({ name }) => !declared.has(name)).length,
    consumers: consumers.length,
  };
}
