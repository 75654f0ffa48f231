/** What became of writes: kept as they were sent, led, and current on every replica. */
import { setTimeout as sleep } from "node:timers/promises";
import { atLeast, parseVersion } from "../model/version.ts";
import type { ClusterState, ConsumerInfo, Reader, StreamInfo } from "./api.ts";
import { ApiError, ConnectionFailure } from "./api.ts";
import type { WireConfig } from "./desired.ts";
import { ELECTION, isNotFound, stillThere } from "./gone.ts";
import { normaliseConsumer, normaliseStream } from "./normalise.ts";
import type { Applied } from "./order.ts";
import { consumerDetails, inParallel, streamDetails } from "./pager.ts";
import { lostFields, notKept } from "./read-back.ts";
import { keepingStart } from "./recreate.ts";

/** An asset as it was asked for, and as the server lists it. */
interface Listed {
  readonly sent: WireConfig;
  readonly kept: WireConfig;
  readonly isLed: boolean;
  /** Whether it has a leader, is not being reconfigured, and its replicas are there and current. */
  readonly isWhole: boolean;
}
type Written = Exclude<Applied, { action: "delete" }>;

/**
 * Reads back what was written and what was deleted.
 * @param timeout milliseconds @param until led: has a leader; whole: has its replicas as well, and they are current
 * @returns an error for each that is not as it was sent, cannot be read, is not ready in time, or is still there
 */
export async function settle(
  applied: readonly Applied[],
  reader: Reader,
  timeout: number,
  until: "led" | "whole" = "whole",
): Promise<Map<string, Error>> {
  const end = Date.now() + timeout;
  const deleted = applied.filter((change) => change.action === "delete");
  const left = await inParallel(deleted, async ({ name, stream, live }) => {
    const consumer = live.kind === "consumer" ? { consumer: live.info.name } : {};
    return [name, await stillThere({ name, stream, ...consumer }, reader, end)] as const;
  });
  const written = applied.filter((change) => change.action !== "delete");
  return new Map([
    ...left.flatMap(([name, error]) => (error ? [[name, error] as const] : [])),
    ...(await settleWritten(written, reader, end, timeout, until)),
  ]);
}

/** One request for one stream and LIST pages for many and for consumers, until each is ready. */
async function settleWritten(
  written: readonly Written[],
  reader: Reader,
  end: number,
  timeout: number,
  until: "led" | "whole",
): Promise<Map<string, Error>> {
  const failed = new Map<string, Error>();
  const open = new Map(written.map((change) => [change.name, change]));
  const seen = new Set<string>();
  /** Why the last look at each did not show it. */
  const errors = new Map<string, Error>();
  /** Since when, in milliseconds since 1970, each was said not to be there, time after time. */
  const missing = new Map<string, number>();
  for (let pause = 25; open.size > 0; pause = Math.min(pause * 2, 500)) {
    const look = await listed([...open.values()], reader);
    for (const [name, { sent, kept, isLed, isWhole }] of look.found) {
      seen.add(name);
      errors.delete(name);
      missing.delete(name);
      const lost = lostFields(kept, sent);
      if (lost.length > 0) failed.set(name, notKept(name, lost));
      if (lost.length > 0 || isWhole || (until === "led" && isLed)) open.delete(name);
    }
    for (const [name, error] of look.errors) {
      errors.set(name, error);
      const since = missing.get(name) ?? Date.now();
      if (isNotFound(error)) missing.set(name, since);
      else missing.delete(name);
      // Right after a create, or after an election, a server may not know of it yet.
      const isGone = isNotFound(error) && Date.now() - since >= ELECTION;
      if (mayPass(error) && !isGone) continue;
      failed.set(name, notSeen(name, error));
      open.delete(name);
    }
    if (Date.now() > end) break;
    if (open.size > 0) await sleep(pause);
  }
  for (const name of open.keys()) {
    const error = errors.get(name) ?? (seen.has(name) ? undefined : new Error("no server lists it"));
    failed.set(name, error ? notSeen(name, error) : notReady(name, until, timeout));
  }
  return failed;
}

const notReady = (name: string, until: "led" | "whole", timeout: number): Error =>
  new Error(
    `${name} was written, but ${until === "led" ? "it has no leader" : "its replicas are not all current"} after ${timeout / 1000} s. ` +
      "It goes on by itself: `circl status` says when it is done.",
  );

/** Whoever loses the connection behind a write still learns what was written. */
const notSeen = (name: string, cause: Error): Error =>
  new Error(`${name} was written, but how it is now cannot be read: ${cause.message}`, { cause });

const mayPass = (error: Error): boolean =>
  error instanceof ApiError || (error instanceof ConnectionFailure && error.passing);

/** What the server has of some changes, and of others why it could not be read, by name; what has no leader to answer is in neither. */
interface Look {
  readonly found: readonly (readonly [string, Listed])[];
  readonly errors: ReadonlyMap<string, Error>;
}

async function listed(changes: readonly Written[], reader: Reader): Promise<Look> {
  const streams = changes.filter(({ kind }) => kind === "stream");
  const consumers = changes.filter(({ kind }) => kind === "consumer");
  const looks = [
    await unlessUnread(streams, () => listedStreams(streams, reader)),
    await unlessUnread(consumers, () => listedConsumers(consumers, reader)),
  ];
  return {
    found: looks.flatMap(({ found }) => found),
    errors: new Map(looks.flatMap(({ errors }) => [...errors])),
  };
}

/** What `read` says, or its error for each of `changes`. */
const unlessUnread = (changes: readonly Written[], read: () => Promise<Look>): Promise<Look> =>
  read().catch((error: Error) => ({ found: [], errors: new Map(changes.map(({ name }) => [name, error])) }));

async function listedStreams(changes: readonly Written[], reader: Reader): Promise<Look> {
  const infos = await streamsOf(
    changes.map(({ name }) => name),
    reader,
  );
  const found = changes.flatMap(({ name, config }) => {
    const info = infos.get(name);
    if (!info) return [];
    const isWhole = isReady(info.cluster, Number(config.num_replicas), reader) && isCaughtUp(info.cluster);
    const both = { sent: normalised(config, reader), kept: normalised(info.config, reader) };
    return [[name, { ...both, isLed: isLed(info.cluster, reader), isWhole }] as const];
  });
  return { found, errors: new Map() };
}

async function streamsOf(names: readonly string[], reader: Reader): Promise<ReadonlyMap<string, StreamInfo>> {
  const [only] = names;
  if (only === undefined) return new Map();
  if (names.length === 1) return new Map([[only, await reader.read<StreamInfo>("STREAM.INFO", [only])]]);
  return (await streamDetails(reader)).known;
}

/** Lagging is no obstacle here: a consumer that is being read is always a few acknowledgements behind somewhere. */
async function listedConsumers(changes: readonly Written[], reader: Reader): Promise<Look> {
  const errors = new Map<string, Error>();
  const found = new Map<string, ConsumerInfo>();
  await inParallel([...new Set(changes.map(({ stream }) => stream))], async (stream) => {
    try {
      const { known } = await consumerDetails(reader, stream);
      for (const info of known) found.set(`${info.stream_name}/${info.name}`, info);
    } catch (error) {
      for (const { name } of changes.filter((change) => change.stream === stream)) errors.set(name, error as Error);
    }
  });
  const there = changes.filter(({ name }) => found.has(name));
  const inheriting = there.filter(({ config }) => !Number(config.num_replicas)).map(({ stream }) => stream);
  const holders = reader.server.cluster
    ? await streamsOf([...new Set(inheriting)], reader)
    : new Map<string, StreamInfo>();
  const listed = there.map(({ name, stream, config }) => {
    const info = found.get(name) as ConsumerInfo;
    // One that was recreated starts behind its ack floor, and says so itself.
    const wanted = keepingStart(config, info.config);
    const replicas = Number(config.num_replicas) || Number(holders.get(stream)?.config.num_replicas ?? 1);
    return [
      name,
      {
        sent: normaliseConsumer(wanted, wanted),
        kept: normaliseConsumer(info.config, wanted),
        isLed: isLed(info.cluster, reader),
        isWhole: isReady(info.cluster, replicas, reader),
      },
    ] as const;
  });
  return { found: listed, errors };
}

/** A configuration in the form that two of them are compared in. */
export const normalised = (config: WireConfig, { server }: Reader): WireConfig => {
  const version = parseVersion(server.version);
  return normaliseStream(config, { hasSourceWindow: version !== undefined && !atLeast(version, "2.14") });
};

const isLed = ({ leader }: ClusterState = {}, { server }: Reader): boolean =>
  server.cluster === undefined || Boolean(leader);

/** A standalone server has nobody to wait for. */
const isReady = (cluster: ClusterState = {}, count: number, { server }: Reader): boolean => {
  const { leader, desired, replicas = [] } = cluster;
  return (
    server.cluster === undefined ||
    (Boolean(leader) &&
      desired === undefined &&
      replicas.length === count - 1 &&
      replicas.every(({ current, offline }) => current && !offline))
  );
};

const isCaughtUp = ({ replicas = [] }: ClusterState = {}): boolean => replicas.every(({ lag = 0 }) => lag === 0);
