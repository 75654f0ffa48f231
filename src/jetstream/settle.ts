/** What became of writes: kept as they were sent, led, and current on every replica. */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { atLeast, parseVersion } from "../model/version.ts";
import type { ClusterState, Reader, StreamInfo } from "./api.ts";
import { ApiError, ConnectionFailure } from "./api.ts";
import type { WireConfig } from "./desired.ts";
import { normaliseStream } from "./normalise.ts";
import { streamDetails } from "./pager.ts";

interface Written {
  readonly name: string;
  readonly config: WireConfig;
}

/**
 * Reads back streams that were written, one request for one and LIST pages for many, until each has a leader, is not being
 * reconfigured and has all its replicas current.
 * @param timeout milliseconds
 * @returns an error for each stream that is not as it was sent, cannot be read, or is not ready in time
 */
export async function settle(
  streams: readonly Written[],
  reader: Reader,
  timeout: number,
): Promise<Map<string, Error>> {
  const failed = new Map<string, Error>();
  const open = new Map(streams.map((stream) => [stream.name, stream]));
  const end = Date.now() + timeout;
  for (let pause = 25; open.size > 0; pause = Math.min(pause * 2, 500)) {
    const found = await details([...open.keys()], reader).catch((error: unknown) => error as Error);
    if (found instanceof Error) return new Map([...failed, ...[...open.keys()].map((name) => notSeen(name, found))]);
    for (const [name, info] of found) {
      const { config } = open.get(name) as Written;
      const lost = lostFields(normalised(info.config, reader), normalised(config, reader));
      if (lost.length > 0) failed.set(name, notKept(name, lost));
      if (lost.length > 0 || isReady(info.cluster, Number(config.num_replicas), reader)) open.delete(name);
    }
    if (Date.now() > end) break;
    if (open.size > 0) await sleep(pause);
  }
  for (const name of open.keys()) {
    failed.set(
      name,
      new Error(
        `${name} was written, but its replicas are not all current after ${timeout / 1000} s. It goes on by itself: ` +
          "`circl status` says when it is done.",
      ),
    );
  }
  return failed;
}

/** Whoever loses the connection behind a write still learns what was written. */
const notSeen = (name: string, cause: Error): readonly [string, Error] => [
  name,
  new Error(`${name} was written, but how it is now cannot be read: ${cause.message}`, { cause }),
];

/** What the server has of `names`; streams without a leader to answer are left out. */
async function details(names: readonly string[], reader: Reader): Promise<(readonly [string, StreamInfo])[]> {
  const [only] = names;
  try {
    if (names.length === 1 && only) return [[only, await reader.read<StreamInfo>("STREAM.INFO", [only])]];
    const { known } = await streamDetails(reader);
    return names.flatMap((name) => {
      const info = known.get(name);
      return info ? [[name, info] as const] : [];
    });
  } catch (error) {
    if (error instanceof ApiError || (error instanceof ConnectionFailure && error.passing)) return [];
    throw error;
  }
}

/** A configuration in the form that two of them are compared in. */
export const normalised = (config: WireConfig, { server }: Reader): WireConfig => {
  const version = parseVersion(server.version);
  return normaliseStream(config, { hasSourceWindow: version !== undefined && !atLeast(version, "2.14") });
};

/** Fields that were sent and are not there. */
export const lostFields = (kept: WireConfig, sent: WireConfig): string[] =>
  Object.keys(sent).filter((field) => !isDeepStrictEqual(kept[field], sent[field]));

/** Servers before 2.12 answer OK and drop the fields they do not know: that is no success. */
export const notKept = (name: string, lost: readonly string[]): Error =>
  new Error(
    `${name}: the server did not keep ${lost.join(", ")}. It may be older than these fields: see its version above.`,
  );

/** A standalone server has nobody to wait for. */
const isReady = (cluster: ClusterState = {}, count: number, { server }: Reader): boolean => {
  const { leader, desired, replicas = [] } = cluster;
  return (
    server.cluster === undefined ||
    (Boolean(leader) &&
      desired === undefined &&
      replicas.length === count - 1 &&
      replicas.every(({ current, offline, lag = 0 }) => current && !offline && lag === 0))
  );
};
