/** Health of a live cluster against the model: what is there, who leads it, what it keeps in fact, and who lags behind. */
import type { Model } from "../model/resolve.ts";
import type { Stream } from "../model/stream.ts";
import { effectiveRetention, flowsInto } from "../model/traffic.ts";
import { formatDuration, SECOND } from "../units.ts";
import type { OriginInfo, ServerIdentity, StreamInfo } from "./api.ts";
import { type Change, diff, type FieldChange } from "./diff.ts";
import { driftOf } from "./drift.ts";
import type { Observed } from "./observe.ts";
import { type ConsumerHealth, consumerHealth } from "./status-consumers.ts";

/** Health of everything declared. `problems` are sentences; without any, all is well, and a plan has nothing to do. */
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
  /** What `differs` tells of is the last one. */
  readonly problems: readonly string[];
  /** Fields that are not as they are declared, from what is live to what is declared; missing where there are none. */
  readonly differs?: readonly FieldChange[];
  /** Only of a stream that exists. */
  readonly live?: LiveStream;
}

export interface LiveStream {
  readonly leader: string;
  readonly replicas: Replicas;
  readonly messages: Fill;
  readonly bytes: Fill;
  /** Nanoseconds since the oldest message was stored; missing where there is none. */
  readonly oldest?: number;
  /** What ends a message's life now. */
  readonly endedBy: (typeof LIMITS)[number] | "nothing";
  /** Nanoseconds that a message lives if the stream goes on to fill as it has; missing where no limit would end it. */
  readonly keeps?: number;
  readonly sources: readonly SourceHealth[];
}

export interface Replicas {
  /** As many as are declared. */
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
  /** Messages that were still to be copied when the origin was last heard of. */
  readonly lag: number;
  /** Nanoseconds since the origin was heard of; -1 is never. */
  readonly active: number;
}

/** What is looked at. */
export interface Looked {
  readonly model: Model;
  readonly observed: Observed;
  /** What an apply would do, by name. */
  readonly changes: ReadonlyMap<string, Change>;
  /** Nanoseconds since 1970. */
  readonly now: number;
}

/** @param now nanoseconds since 1970 @param targets names of the streams to look at, with their consumers; without it all */
export function status(model: Model, observed: Observed, now: number, targets?: readonly string[]): Health {
  const changes = new Map(diff(model, observed).map((change) => [change.name, change]));
  const looked = { model, observed, changes, now };
  const declared = model.streams.filter(({ name }) => targets?.includes(name) ?? true);
  const streams = declared.map((stream) => streamHealth(stream, looked));
  const consumers = declared.flatMap((stream, i) =>
    stream.consumers.map((consumer) => consumerHealth(consumer, stream, streams[i], looked)),
  );
  return {
    environment: model.environment.name,
    server: observed.server,
    streams,
    consumers,
    undeclared: undeclaredIn(observed, model),
    problems: [...streams, ...consumers].reduce((sum, { problems }) => sum + problems.length, 0),
  };
}

function streamHealth(stream: Stream, { model, observed, changes, now }: Looked): StreamHealth {
  const { name } = stream;
  const found = observed.streams.find((candidate) => candidate.name === name);
  if (!found) return { name, condition: "missing", problems: [`is missing: \`circl apply ${model.key}\` creates it`] };
  if (found.status === "unknown") return { name, condition: "unknown", problems: [`is unknown: ${found.why}`] };
  const live = liveStream(found.info, observed.server, now);
  const drift = driftOf(changes.get(name));
  const problems = [
    ...replicaProblems(found.info, live.replicas),
    ...keepingProblems(stream, live, model, found.info),
    ...originsOf(found.info).flatMap((origin) => [...stallProblems(origin), ...lagProblems(origin, observed, now)]),
    ...drift.problems,
  ];
  const replicas = { ...live.replicas, wanted: stream.replicas };
  return { ...drift, name, condition: "exists", problems, live: { ...live, replicas } };
}

function liveStream(info: StreamInfo, server: ServerIdentity, now: number): LiveStream {
  const { config, state, cluster } = info;
  const peers = cluster?.replicas ?? [];
  const messages = { amount: state.messages, limit: limitOf(config.max_msgs) };
  const bytes = { amount: state.bytes, limit: limitOf(config.max_bytes) };
  const oldest = state.messages > 0 && state.first_ts ? Math.max(0, now - Date.parse(state.first_ts) * 1e6) : undefined;
  const shares = {
    maxMsgs: shareOf(messages),
    maxBytes: shareOf(bytes),
    maxAge: shareOf({ amount: oldest ?? 0, limit: Number(config.max_age) }),
  };
  const largest = Math.max(...Object.values(shares));
  return {
    leader: cluster?.leader ?? server.name,
    replicas: {
      wanted: Number(config.num_replicas),
      current: 1 + peers.filter(({ current, offline }) => current && !offline).length,
      offline: peers.filter(({ offline }) => offline).map(({ name }) => name),
      lag: Math.max(0, ...peers.map(({ lag = 0 }) => lag)),
    },
    messages,
    bytes,
    ...(oldest === undefined ? {} : { oldest }),
    endedBy: LIMITS.find((limit) => shares[limit] >= FULL[limit]) ?? "nothing",
    ...(oldest === undefined || largest === 0 ? {} : { keeps: oldest / Math.min(1, largest) }),
    sources: originsOf(info).map(({ name, lag = 0, active = -1 }) => ({ name, lag, active })),
  };
}

const limitOf = (limit: unknown): number => (Number(limit) > 0 ? Number(limit) : -1);
const LIMITS = ["maxMsgs", "maxBytes", "maxAge"] as const;
/** Sizes and ages never reach their limit exactly: the next message would not fit, or is not there yet. */
const FULL = { maxMsgs: 1, maxBytes: 0.99, maxAge: 0.99 };
const shareOf = ({ amount, limit }: Fill): number => (limit > 0 ? amount / limit : 0);

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
function keepingProblems(stream: Stream, live: LiveStream, model: Model, { config }: StreamInfo): string[] {
  const { endedBy, oldest = 0 } = live;
  if (endedBy !== "maxMsgs" && endedBy !== "maxBytes") return [];
  if (config.discard === "new") return [`is full (${endedBy}): publishes are refused`];
  const { lives } = effectiveRetention(stream, flowsInto(stream, model));
  if (oldest >= lives || lives === Number.POSITIVE_INFINITY) return [];
  return [
    `keeps a message for ${formatDuration(oldest)}, not ${formatDuration(lives)} as declared: ${endedBy} ends it`,
  ];
}

/** An origin is heard of each second (stream.go, sourceHealthHB); an election and one more try end well before this. */
const STALLED = 60 * SECOND;

const originsOf = ({ sources = [], mirror }: StreamInfo): readonly OriginInfo[] =>
  mirror ? [mirror, ...sources] : sources;

function stallProblems({ name, lag = 0, active = -1, error }: OriginInfo): string[] {
  if (error) return [`does not copy ${name}: ${error.description ?? "the server does not say why"}`];
  if (active >= 0 && active < STALLED) return [];
  // The lag is that of the last word, so 0 is no comfort.
  const since = active < 0 ? "since it started" : `for ${formatDuration(active)}, and was ${lag} messages behind then`;
  return [`has not heard of its origin ${name} ${since}`];
}

/** An origin that is full drops what its copy has not fetched. */
function lagProblems({ name, lag = 0 }: OriginInfo, { streams, server }: Observed, now: number): string[] {
  const origin = streams.find((candidate) => candidate.name === name);
  if (origin?.status !== "known") return [];
  const { endedBy, messages } = liveStream(origin.info, server, now);
  return endedBy !== "nothing" && lag > messages.amount / 2
    ? [`is ${lag} messages behind ${name}, which keeps ${messages.amount}: what it does not copy is lost`]
    : [];
}

function undeclaredIn(observed: Observed, { streams }: Model): Health["undeclared"] {
  const declared = new Map(streams.map(({ name, consumers }) => [name, consumers.map((consumer) => consumer.name)]));
  const consumers = [...observed.consumers].flatMap(([stream, { known, unknown }]) =>
    [...known, ...unknown].filter(({ name }) => !declared.get(stream)?.includes(name)),
  );
  return {
    streams: observed.streams.filter(({ name }) => !declared.has(name)).length,
    consumers: consumers.length,
  };
}
