/** How much disk and memory a server gets, and what JetStream may take of it. Bytes. */
import type { Model } from "../model/resolve.ts";
import type { Stream } from "../model/stream.ts";
import { MiB } from "../units.ts";

/**
 * 80 % of the claim: a formatted 10 GiB volume holds 9.7, and raft logs and indexes are not counted by JetStream. With the
 * whole claim, as the official chart has it, the disk fills before the limit is met and JetStream shuts down (nats-io/k8s#717).
 */
export const fileStore = ({ environment }: Model): number => wholeMiB(environment.nats.volume.size * 0.8);

/**
 * Share of the file store that streams may reserve. The rest is for what nobody declares: a stream that is made beside another to
 * replace it, a third replica that moves, one that somebody needs tonight. Rule S031 and alert NatsStorageReserved begin here.
 */
export const RESERVABLE = 0.9;

/**
 * Share of all stores that the account may fill. A server whose own store is full lets its streams go: they have no leader, so
 * nobody can look at them or change them (raft.go, outOfResources). The account's limit is met first, leaves the leaders where
 * they are, and a lower `maxBytes` makes room. What one server takes alone, as streams with one replica do, is not held by it.
 */
export const ACCOUNT_SHARE = 0.95;

/** What the account may store on all servers together, as file or in memory. */
export const accountStore = (model: Model, storage: Stream["storage"]): number =>
  wholeMiB(
    (storage === "file" ? fileStore(model) : memoryStore(model)) * model.environment.nats.servers * ACCOUNT_SHARE,
  );

/** Declared memory streams with a quarter to spare; never 0, which would refuse consumers that keep their state in memory. */
export const memoryStore = (model: Model): number =>
  Math.max(64 * MiB, wholeMiB(reservedPerServer(model, "memory") * 1.25));

/**
 * What streams of one kind of storage reserve on the fullest server. A stream with as many replicas as servers lies on each;
 * the others are spread as evenly as their sizes allow: largest first, each replica to the emptiest servers.
 */
export function reservedPerServer({ streams, environment }: Model, storage: Stream["storage"]): number {
  const servers: number[] = Array.from({ length: environment.nats.servers }, () => 0);
  const bounded = streams.filter((stream) => stream.storage === storage && stream.maxBytes > 0);
  for (const { replicas, maxBytes } of bounded.toSorted((a, b) => b.maxBytes - a.maxBytes)) {
    servers.sort((a, b) => a - b);
    for (let i = 0; i < Math.min(replicas, servers.length); i++) servers[i] = (servers[i] ?? 0) + maxBytes;
  }
  return Math.max(...servers);
}

/** What the account reserves: the server counts `max_bytes` once per replica (jetstream.go, accountReservation). */
export const reservedByAccount = ({ streams }: Model, storage: Stream["storage"]): number =>
  streams
    .filter((stream) => stream.storage === storage && stream.maxBytes > 0)
    .reduce((total, stream) => total + stream.maxBytes * stream.replicas, 0);

/** Lame duck, then 20 s for what follows it; Kubernetes kills after that (nats-io/k8s#994). Nanoseconds. */
export const terminationGrace = ({ environment }: Model): number =>
  environment.nats.lameDuck.duration + environment.nats.lameDuck.grace + 20e9;

const wholeMiB = (bytes: number): number => Math.floor(bytes / MiB) * MiB;
