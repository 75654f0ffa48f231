/** One case an alert about the Tile38 of production: a leader and two followers of 2 GiB each. */
import { fullVolume } from "./nats-server-cases.ts";
import type { AlertCases } from "./scenario.ts";

const namespace = "circl-backbone";
const at = (pod: string) => ({ job: "tile38", namespace, pod, instance: pod });
const one = at("tile38-follower-1");
const leader = at("tile38-leader-0");
const labels = (all: Readonly<Record<string, string>>) =>
  Object.entries(all)
    .map(([key, value]) => `${key}="${value}"`)
    .join(",");
const behind = `tile38_replication_info{${labels({ ...one, role: "follower", following: "tile38:9851", caught_up: "false", caught_up_once: "true" })}}`;
const job = (metric: string, job_name: string, more: Readonly<Record<string, string>> = {}) =>
  `kube_job_${metric}{${labels({ namespace, job_name, ...more })}}`;
/** A job that failed for good, begun at `seconds`. */
const failed = (name: string, seconds: string) => ({
  [job("failed", name, { condition: "true" })]: "1",
  [job("status_failed", name, { reason: "BackoffLimitExceeded" })]: "1",
  [job("status_start_time", name)]: seconds,
});

export const tile38Cases: AlertCases = {
  Tile38NoLeader: {
    fires: {
      at: "5m",
      drop: [/^tile38_.*tile38-leader-0/],
      labels: { ...{ job: "tile38", namespace }, role: "leader" },
      summary: "No Tile38 server takes writes",
    },
    // A planned restart: closed for almost three minutes while it loads its file.
    quiet: { at: "12m", set: [[/^tile38_.*tile38-leader-0/, "1x4 stale _x5 1x40"]] },
  },
  Tile38TwoLeaders: {
    fires: {
      at: "3m",
      set: [[/^tile38_replication_info\{.*follower-1/, "_"]],
      add: { [`tile38_replication_info{${labels({ ...one, role: "leader" })}}`]: "1" },
      labels: { namespace },
      summary: "2 Tile38 servers take themselves for the leader",
    },
    // A promotion: the old one is gone, the new one leads.
    quiet: {
      at: "5m",
      drop: [/^tile38_.*tile38-leader-0/, /^tile38_replication_info\{.*follower-1/],
      add: { [`tile38_replication_info{${labels({ ...one, role: "leader" })}}`]: "1" },
    },
  },
  Tile38Down: {
    fires: {
      at: "7m",
      set: [[/^up\{.*follower-1/, "0"]],
      drop: [/^tile38_.*follower-1/],
      labels: one,
      summary: "tile38-follower-1 has not answered for 5 minutes",
    },
    quiet: { at: "12m", set: [[/^up\{.*follower-1/, "1x4 0x9 1x20"]] },
  },
  Tile38Restarting: {
    fires: {
      from: "510s",
      at: "12m",
      set: [[/^tile38_start_time_seconds\{.*follower-1/, "1x4 2x4 3x4 4x20"]],
      labels: one,
      summary: "tile38-follower-1 restarted 3 times in an hour",
    },
    quiet: { at: "12m", set: [[/^tile38_start_time_seconds\{.*follower-1/, "1x4 2x4 3x20"]] },
  },
  Tile38Slow: {
    fires: {
      at: "12m",
      set: [[/^tile38_cmd_duration_seconds\{.*leader-0/, "0.25"]],
      labels: { ...leader, cmd: "set", quantile: "0.99" },
      summary: "One in a hundred set takes 250ms on tile38-leader-0",
    },
    quiet: {
      at: "22m",
      set: [[/^tile38_cmd_duration_seconds\{.*leader-0/, "0.25x19 0.1x40"]],
      // Of the job at night; nobody waits for it.
      add: { [`tile38_cmd_duration_seconds{${labels({ ...leader, cmd: "aofshrink", quantile: "0.99" })}}`]: "2" },
    },
  },
  Tile38FollowersMissing: {
    fires: {
      at: "12m",
      drop: [/^tile38_replication_info\{.*follower-1/],
      add: { [behind]: "1" },
      summary: "Only 1 of 2 Tile38 followers are level with the leader",
    },
    // Fetching everything anew after a shrink.
    quiet: {
      at: "22m",
      set: [[/^tile38_replication_info\{.*follower-1/, "1x3 stale _x19 1x40"]],
      add: { [behind]: "_x4 1x19 stale" },
    },
  },
  Tile38FollowerFlapping: {
    fires: {
      from: "6m",
      at: "17m",
      set: [[/^tile38_replication_info\{.*follower-1/, "1 1 stale _ 1 1 stale _ 1 1 stale _ 1x30"]],
      add: { [behind]: "_ _ 1 1 stale _ 1 1 stale _ 1 1 stale" },
      labels: { namespace, pod: "tile38-follower-1" },
      summary: "tile38-follower-1 keeps losing its leader: 6 changes in half an hour",
    },
    // Twice, and for eight minutes: the leader was away.
    quiet: {
      at: "27m",
      set: [[/^tile38_replication_info\{.*follower-1/, "1x3 stale _x15 1 1 stale _ 1x60"]],
      add: { [behind]: "_x4 1x15 stale _ 1 1 stale" },
    },
  },
  Tile38FollowerDiverged: {
    fires: [
      {
        at: "17m",
        // The totals agree: what one collection lost another has kept.
        set: [
          [/^tile38_collection_objects\{.*follower-1.*fleet/, "49500"],
          [/^tile38_collection_objects\{.*follower-1.*zones/, "700"],
        ],
        labels: { namespace, col: "zones" },
        summary: "Tile38 servers differ by 500 objects in the collection zones",
      },
      {
        at: "17m",
        // A leader that lost its volume has no series of what its followers kept.
        drop: [/^tile38_collection_objects\{.*leader-0.*fleet/],
        set: [[/^tile38_collections\{.*leader-0/, "1"]],
        labels: { namespace, col: "fleet" },
        summary: "Tile38 servers differ by 50000 objects in the collection fleet",
      },
    ],
    quiet: { at: "17m", set: [[/^tile38_collection_objects\{.*follower-1.*fleet/, "49400"]] },
  },
  Tile38CollectionUnwatched: {
    fires: [
      {
        at: "17m",
        set: [[/^tile38_collections\{/, "5"]],
        labels: { namespace, pod: "tile38-leader-0" },
        summary: "tile38-leader-0 has 3 collections that the environment does not name",
      },
      {
        at: "17m",
        // None of those that it names is there.
        drop: [/^tile38_collection_objects/],
        labels: { namespace, pod: "tile38-leader-0" },
        summary: "tile38-leader-0 has 2 collections that the environment does not name",
      },
    ],
    // Somebody tried something out; and a follower may have what its leader no longer has.
    quiet: {
      at: "27m",
      set: [
        [/^tile38_collections\{.*leader-0/, "2x4 3x29 2x40"],
        [/^tile38_collections\{.*follower-1/, "3"],
      ],
    },
  },
  Tile38HooksDiverged: {
    fires: {
      at: "17m",
      set: [[/^tile38_hooks\{.*follower-1/, "3"]],
      labels: { namespace },
      summary: "Tile38 servers differ in their number of hooks, the most is 4",
    },
    quiet: { at: "17m", set: [[/^tile38_hooks\{/, "4x10 5x60"]] },
  },
  Tile38ScratchFilling: {
    fires: {
      at: "12m",
      set: [[/^tile38_aof_size_bytes\{.*leader-0/, "16500000000"]],
      labels: { namespace },
      summary: "Each Tile38 follower keeps 15.37GiB of 20 GiB that it may",
    },
    // What a follower says of itself counts nothing.
    quiet: {
      at: "12m",
      set: [
        [/^tile38_aof_size_bytes\{.*leader-0/, "16000000000"],
        [/^tile38_aof_size_bytes\{.*follower-1/, "33000000000"],
      ],
    },
  },
  Tile38MemoryFilling: {
    fires: {
      at: "22m",
      set: [[/^tile38_heap_size_bytes\{.*leader-0/, "1200000000"]],
      labels: leader,
      summary: "tile38-leader-0 holds 1.118GiB of live data",
    },
    // A heap that comes down with every collection.
    quiet: {
      at: "22m",
      set: [[/^tile38_heap_size_bytes\{/, "1200000000x8 1110000000 1200000000x14 1110000000 1200000000x20"]],
    },
  },
  Tile38WritesRefused: {
    fires: {
      at: "5m",
      set: [[/^tile38_heap_size_bytes\{.*leader-0/, "1600000000"]],
      labels: leader,
      summary: "tile38-leader-0 holds 1.49GiB, more than its maxmemory, and refuses positions",
    },
    quiet: {
      at: "5m",
      set: [
        [
          /^tile38_heap_size_bytes\{.*leader-0/,
          "1600000000 1600000000 1500000000 1600000000x5 1500000000 1600000000x5",
        ],
        // A follower takes what its leader took.
        [/^tile38_heap_size_bytes\{.*follower-1/, "1600000000"],
      ],
    },
  },
  Tile38VolumeFilling: {
    fires: {
      at: "12m",
      set: [[/^kubelet_volume_stats_available_bytes\{.*data-tile38/, "12000000000"]],
      labels: { namespace, persistentvolumeclaim: "data-tile38-leader-0" },
      summary: "data-tile38-leader-0 has 24% left",
    },
    quiet: {
      at: "12m",
      set: [[/^kubelet_volume_stats_available_bytes\{.*data-tile38/, "13000000000"]],
      add: fullVolume("somebodys-cache"),
    },
  },
  Tile38VolumeFull: {
    fires: {
      at: "7m",
      set: [[/^kubelet_volume_stats_available_bytes\{.*data-tile38/, "4000000000"]],
      labels: { namespace, persistentvolumeclaim: "data-tile38-leader-0" },
      summary: "data-tile38-leader-0 has 8% left",
    },
    quiet: {
      at: "7m",
      set: [[/^kubelet_volume_stats_available_bytes\{.*data-tile38/, "5200000000"]],
      add: fullVolume("somebodys-cache"),
    },
  },
  Tile38ShrinkFailed: {
    fires: {
      at: "12m",
      // Somebody else's job succeeds meanwhile.
      add: {
        ...failed("tile38-aof-shrink-1", "60"),
        [`kube_cronjob_status_last_successful_time{namespace="${namespace}",cronjob="theirs"}`]: "600",
      },
      labels: { namespace },
      summary: "The job that shrinks the append-only file failed, begun 1970-01-01 00:01:00 +0000 UTC",
    },
    // The next run succeeded, and the one after that has not failed yet: its first pod did, and its second is under way.
    quiet: {
      at: "12m",
      add: {
        ...failed("tile38-aof-shrink-1", "60"),
        [job("status_failed", "tile38-aof-shrink-2", { reason: "" })]: "1",
        [job("failed", "tile38-aof-shrink-2", { condition: "true" })]: "0",
        [job("failed", "tile38-aof-shrink-2", { condition: "false" })]: "1",
        [job("status_start_time", "tile38-aof-shrink-2")]: "300",
        // And somebody else's failed.
        ...failed("theirs-1", "600"),
      },
      set: [[/^kube_cronjob_status_last_successful_time/, "0 0 120x40"]],
    },
  },
  Tile38FileNotShrunk: {
    step: "5m",
    fires: {
      at: "27h",
      set: [[/^tile38_aof_size_bytes\{.*leader-0/, "3000000000"]],
      labels: { namespace },
      summary: "The append-only file has been above 2 GiB for more than a day: 2.794GiB",
    },
    // Shrunk once, by a little, and grown again.
    // What a follower says of itself counts nothing.
    quiet: {
      at: "27h",
      set: [
        [/^tile38_aof_size_bytes\{.*leader-0/, "3000000000x150 2100000000 3000000000x200"],
        [/^tile38_aof_size_bytes\{.*follower-1/, "3000000000"],
      ],
    },
  },
};
