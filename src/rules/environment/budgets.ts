/** Time, memory and disk that must add up. */

import { goMemoryLimit } from "../../kubernetes/go-runtime.ts";
import { takes } from "../../model/capture.ts";
import type { Model } from "../../model/resolve.ts";
import { flowsInto } from "../../model/traffic.ts";
import { accountStore, memoryStore, reservedByAccount, terminationGrace } from "../../nats/budget.ts";
import { formatBytes, formatDuration, formatRate, KiB, MiB, SECOND } from "../../units.ts";
import { inEnvironment } from "../place.ts";
import type { Rule } from "../rule.ts";

const lameDuck: Rule<Model> = {
  code: "E030",
  severity: "error",
  title: "A lame duck period that the server refuses",
  reason:
    "nats-server does not start with a lame_duck_duration below 30 s or a grace period that is not shorter than it, and `-t` " +
    "misses the second (opts.go).",
  hint: "Use at least 30s for duration and less than that for grace.",
  *check(model) {
    const { grace, duration } = model.environment.nats.lameDuck;
    if (duration < 30 * SECOND || grace >= duration) {
      yield {
        place: inEnvironment(model, "nats.lameDuck"),
        says: `has grace ${formatDuration(grace)} in a duration of ${formatDuration(duration)}`,
      };
    }
  },
};

const longShutdown: Rule<Model> = {
  code: "E031",
  severity: "error",
  title: "A shutdown longer than a drain waits",
  reason:
    "GKE respects the grace period of a pod for an hour at most and then kills it: before it has handed over its leaders.",
  hint: "Shorten nats.lameDuck: its two periods and 20 s must stay below one hour.",
  *check(model) {
    const total = terminationGrace(model);
    if (total > 3_600 * SECOND) {
      yield { place: inEnvironment(model, "nats.lameDuck"), says: `adds up to ${formatDuration(total)}` };
    }
  },
};

/** Bytes that an idle server takes, and that one connection's buffers take at most in steady state. */
const SERVER_BASE = 128 * MiB;
const PER_CONNECTION = 32 * KiB;

const natsMemory: Rule<Model> = {
  code: "E032",
  severity: "error",
  title: "Memory that does not hold what it must",
  reason:
    "max_memory_store bounds memory streams, not the process (nats-server#5739): above GOMEMLIMIT (80 % of the limit) the server " +
    "spends its time collecting garbage, and at the limit the kernel kills it.",
  hint: "Raise nats.memory, or lower maxConnections or the maxBytes of memory streams.",
  *check(model) {
    const { nats } = model.environment;
    const available = goMemoryLimit(nats.memory) * MiB;
    const store = memoryStore(model);
    const connections = nats.maxConnections * PER_CONNECTION;
    const needed = SERVER_BASE + store + connections;
    if (needed > available) {
      yield {
        place: inEnvironment(model, "nats.memory"),
        says:
          `leaves ${formatBytes(available)}, but ${formatBytes(needed)} are spoken for: memory streams ${formatBytes(store)}, ` +
          `${nats.maxConnections} connections ${formatBytes(connections)}, the server itself ${formatBytes(SERVER_BASE)}`,
      };
    }
  },
};

const largePayload: Rule<Model> = {
  code: "E033",
  severity: "error",
  title: "A maximum payload that stalls the cluster",
  reason:
    "One message blocks its connection and every route it crosses until it is through; the server warns above 8 MiB, and refuses " +
    "to start above max_pending (64 MiB).",
  hint: "Stay at 8MiB or below; put large things into an object store and send their name.",
  *check(model) {
    const { maxPayload } = model.environment.nats;
    if (maxPayload > 8 * MiB) {
      yield { place: inEnvironment(model, "nats.maxPayload"), says: `is ${formatBytes(maxPayload)}` };
    }
  },
};

const accountStorage: Rule<Model> = {
  code: "E034",
  severity: "error",
  title: "An account limit that does not fit",
  reason:
    "The account counts max_bytes once per replica and refuses the stream that goes over (10047); what the accounts may take together " +
    "is compared with the servers' disks by nobody (sufficientResources returns nil in a cluster). A server that is full before the account " +
    "is lets its streams go: without a leader nobody can look at them or change them.",
  hint: "Let nats.accountStorage lie between what the streams reserve and 19 twentieths of all file stores, or leave it out.",
  *check(model) {
    const { nats } = model.environment;
    if (nats.accountStorage === undefined) return;
    const reserved = reservedByAccount(model, "file");
    const stores = accountStore(model, "file");
    const place = inEnvironment(model, "nats.accountStorage");
    if (nats.accountStorage < reserved) {
      yield {
        place,
        says: `is ${formatBytes(nats.accountStorage)}, but streams reserve ${formatBytes(reserved)}, replicas counted`,
      };
    }
    if (nats.accountStorage > stores) {
      yield {
        place,
        says: `is ${formatBytes(nats.accountStorage)}, but streams stay answerable up to ${formatBytes(stores)} on all servers`,
      };
    }
  },
};

/** Resident bytes of one point, measured on 1.37.0, and of an idle server. */
const TILE38_OBJECT = 235;
const TILE38_BASE = 32 * MiB;

const tile38Memory: Rule<Model> = {
  code: "E040",
  severity: "error",
  title: "Memory that does not hold the objects",
  reason:
    "A point takes about 235 bytes of resident memory and Go's collector up to twice that; a leader over its limit is killed and " +
    "loads its file again from the start, a follower fetches everything anew.",
  hint: "Raise the memory of leader and followers alike, or lower tile38.objects.",
  *check(model) {
    const { tile38 } = model.environment;
    const needed = TILE38_BASE + 2 * TILE38_OBJECT * tile38.objects;
    for (const role of ["leader", "followers"] as const) {
      if (role === "followers" && tile38.followers.count === 0) continue;
      if (tile38[role].memory < needed) {
        yield {
          place: inEnvironment(model, `tile38.${role}.memory`),
          says: `is ${formatBytes(tile38[role].memory)}, but ${tile38.objects} objects take ${formatBytes(needed)}`,
        };
      }
    }
  },
};

/** Bytes that one SET adds to the append-only file. */
const AOF_SET = 64;

const tile38Disk: Rule<Model> = {
  code: "E041",
  severity: "error",
  title: "A Tile38 volume that a failing shrink fills in a day",
  reason:
    "Every position is appended to a file that only AOFSHRINK makes smaller (tidwall/tile38#792), and a full disk makes the server " +
    "panic. The volume must hold a day of positions and the shrunk copy beside it.",
  hint: "Raise tile38.leader.volume.size or lower tile38.shrink.above.",
  *check(model) {
    const { tile38, development } = model.environment;
    const day = positionBytes(model, 86_400);
    const needed = 2 * tile38.shrink.above + day;
    if (!development && needed > tile38.leader.volume.size) {
      yield {
        place: inEnvironment(model, "tile38.leader.volume.size"),
        says:
          `is ${formatBytes(tile38.leader.volume.size)}, but a day at ${formatRate(positionRate(model))} takes ${formatBytes(day)} and a shrink ` +
          `from ${formatBytes(tile38.shrink.above)} as much again: ${formatBytes(needed)}`,
      };
    }
  },
};

const smallFollowers: Rule<Model> = {
  code: "E042",
  severity: "error",
  title: "Followers smaller than what they follow",
  reason:
    "A follower holds every object of the leader and fetches the whole file after each shrink (tidwall/tile38#768): one that is killed " +
    "for its memory, or evicted for its disk, starts again from nothing.",
  hint: "Give followers the leader's memory, and scratch for two files at the shrink limit and half a day of positions.",
  *check(model) {
    const { tile38, development } = model.environment;
    const { leader, followers, shrink } = tile38;
    if (followers.count === 0) return;
    if (followers.memory < leader.memory) {
      yield {
        place: inEnvironment(model, "tile38.followers.memory"),
        says: `is ${formatBytes(followers.memory)}, the leader's is ${formatBytes(leader.memory)}`,
      };
    }
    const needed = 2 * shrink.above + positionBytes(model, 43_200);
    if (!development && followers.scratch < needed) {
      yield {
        place: inEnvironment(model, "tile38.followers.scratch"),
        says: `is ${formatBytes(followers.scratch)}, but ${formatBytes(needed)} may come together`,
      };
    }
  },
};

/** Bytes of one object in a file that was just shrunk, measured for a bare point on 1.37.0. */
const AOF_OBJECT = 100;

const eagerShrink: Rule<Model> = {
  code: "E043",
  severity: "error",
  title: "A shrink that is never done",
  reason:
    "A file of live objects alone gets no smaller: below that size every run of the job makes all followers fetch everything for nothing.",
  hint: "Raise tile38.shrink.above to at least twice what the objects take.",
  *check(model) {
    const { objects, shrink } = model.environment.tile38;
    const live = objects * AOF_OBJECT;
    if (shrink.above < 2 * live) {
      yield {
        place: inEnvironment(model, "tile38.shrink.above"),
        says: `is ${formatBytes(shrink.above)}, but ${objects} objects alone take ${formatBytes(live)}`,
      };
    }
  },
};

/** Bytes that positions add to the append-only file in `seconds`, at declared rates. */
const positionBytes = (model: Model, seconds: number): number => positionRate(model) * AOF_SET * seconds;

/** Positions a second that writers of Tile38 consume: of each stream what their filters let through. */
function positionRate(model: Model): number {
  const writers = new Set(model.services.filter((service) => service.tile38 === "write").map(({ name }) => name));
  return model.streams.reduce((sum, stream) => {
    const readers = stream.consumers.filter(({ service }) => writers.has(service));
    const flows = flowsInto(stream, model).filter(({ subject }) => readers.some((reader) => takes(reader, subject)));
    return sum + flows.reduce((total, { rate }) => total + rate, 0);
  }, 0);
}

export const budgetRules = [
  lameDuck,
  longShutdown,
  natsMemory,
  largePayload,
  accountStorage,
  tile38Memory,
  tile38Disk,
  smallFollowers,
  eagerShrink,
];
