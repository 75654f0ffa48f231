/** Replicas of streams that are being written to: behind by what is under way, or by what they have not caught up. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Reader } from "./api.ts";
import { type Observed, type ObservedStream, observe } from "./observe.ts";

/** Milliseconds between two looks, and how many there are: a replica that keeps up is current in one of them. */
const PAUSE = 300;
const LOOKS = 5;

/**
 * `observe`, with each replica `current` that was so in any of up to five looks. The server calls one current only while it lacks
 * nothing of what is applied (raft.go, Peers): of a stream that takes 6 000 messages a second every seventh look finds one a few
 * entries behind. One that catches up is behind in all of them.
 */
export const observeSteady = (reader: Reader, named: readonly string[]): Promise<Observed> =>
  steady(() => observe(reader, named), PAUSE);

/** @param pause milliseconds between two looks */
export async function steady(look: () => Promise<Observed>, pause: number): Promise<Observed> {
  const kept = new Set<string>();
  for (let looks = 1; ; looks++) {
    const observed = await look();
    const streams = observed.streams.map((stream) => withCurrent(stream, kept));
    if (looks === LOOKS || streams.every(isCurrent)) return { ...observed, streams };
    await sleep(pause);
  }
}

/** `stream` with the replicas current that are or were; remembers those that are. */
function withCurrent(stream: ObservedStream, kept: Set<string>): ObservedStream {
  if (stream.status === "unknown" || !stream.info.cluster?.replicas) return stream;
  const { cluster } = stream.info;
  const replicas = stream.info.cluster.replicas.map((replica) => {
    const key = `${stream.name} ${replica.name}`;
    if (replica.current) kept.add(key);
    return { ...replica, current: kept.has(key) && !replica.offline };
  });
  return { ...stream, info: { ...stream.info, cluster: { ...cluster, replicas } } };
}

/** One that is away does not come back within these looks. */
const isCurrent = (stream: ObservedStream): boolean =>
  stream.status === "unknown" ||
  (stream.info.cluster?.replicas ?? []).every(({ current, offline }) => current || offline);
