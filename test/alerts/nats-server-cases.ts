/** One case an alert about the NATS servers of production: three servers, 8 GiB each, 5000 connections. */
import type { AlertCases, NearMiss } from "./scenario.ts";

const namespace = "circl-backbone";
/** What vanishes with a server: all that the exporter reads from /jsz. */
export const answersOf = (...pods: string[]) =>
  new RegExp(`^nats_(server|stream|consumer)_.*pod="(${pods.join("|")})"`);
/** What calls of the other two, after ten minutes. */
export const WITHOUT_ONE = ["NatsServerMissing", "NatsStreamReplicasMissing"];
/** Its exporter goes on telling the last `value` of a server that is gone. */
const lastWord = (pattern: RegExp, value: string, at = "12m"): NearMiss => ({
  at,
  set: [[pattern, value]],
  drop: [answersOf("nats-2")],
  also: WITHOUT_ONE,
});
export const of2 = { job: "nats", namespace, pod: "nats-2", instance: "nats-2", server_id: "circl-production-nats-2" };

/** Of somebody else, in our namespace. */
export const fullVolume = (persistentvolumeclaim: string) =>
  Object.fromEntries(
    [
      ["available", "1"],
      ["capacity", "100"],
    ].map(([what = "", bytes = ""]) => [
      `kubelet_volume_stats_${what}_bytes{namespace="${namespace}",persistentvolumeclaim="${persistentvolumeclaim}"}`,
      bytes,
    ]),
  );

export const natsServerCases: AlertCases = {
  NatsDown: {
    fires: {
      at: "8m",
      // nats_varz_* of the dead servers stay as they were: that is what the exporter does.
      drop: [answersOf("nats-1", "nats-2"), /is_(stream|consumer)_leader="true"/],
      summary: "Only 1 of 3 NATS servers answer",
      also: ["NatsServerMissing", "NatsStreamWithoutLeader", "NatsConsumerWithoutLeader"],
    },
    quiet: { at: "4m", drop: [answersOf("nats-2")] },
  },
  NatsServerMissing: {
    fires: {
      at: "7m",
      drop: [answersOf("nats-2")],
      summary: "Only 2 of 3 NATS servers answer",
    },
    quiet: { at: "12m", set: [[/^nats_server_jetstream_disabled\{.*nats-2/, "0x4 stale _x9 0x12"]] },
  },
  NatsJetStreamDisabled: {
    fires: {
      at: "4m",
      set: [[/^nats_server_jetstream_disabled\{.*nats-2/, "1"]],
      labels: { namespace, server_id: "circl-production-nats-2" },
      summary: "circl-production-nats-2 runs without JetStream",
    },
    quiet: { at: "12m", set: [[/^nats_server_jetstream_disabled\{.*nats-2/, "0x4 1 1 0x20"]] },
  },
  NatsNoMetaLeader: {
    fires: {
      at: "4m",
      drop: [/^nats_server_jetstream_disabled\{.*nats-2/],
      add: { [server("nats-2", "")]: "0" },
      summary: "1 NATS servers know no meta leader",
    },
    quiet: [
      // Two scrapes without one: an election.
      {
        at: "12m",
        set: [[/^nats_server_jetstream_disabled\{.*nats-2/, "0x4 stale _ 0x20"]],
        add: { [server("nats-2", "")]: "_x5 0 0 stale" },
      },
      {
        at: "4m",
        drop: [/^nats_server_jetstream_disabled\{.*nats-2/],
        add: { [server("nats-2", "")]: "1" },
        also: ["NatsJetStreamDisabled"],
      },
    ],
  },
  NatsMetaLeaderDisputed: {
    fires: {
      at: "5m",
      drop: [/^nats_server_jetstream_disabled\{.*nats-2/],
      add: { [server("nats-2", "circl-production-nats-2")]: "0" },
      summary: "NATS servers name 2 different meta leaders",
    },
    quiet: [
      // One knows none: it has an alert of its own.
      {
        at: "5m",
        drop: [/^nats_server_jetstream_disabled\{.*nats-2/],
        add: { [server("nats-2", "")]: "0" },
        also: ["NatsNoMetaLeader"],
      },
      // All follow to the new leader, one of them late.
      {
        at: "12m",
        set: [
          [/^nats_server_jetstream_disabled\{.*nats-1"/, "0x4 stale"],
          [/^nats_server_jetstream_disabled\{.*pod="nats-2"/, "0x4 stale"],
          [/^nats_server_jetstream_disabled\{.*pod="nats-0"/, "0x8 stale"],
        ],
        add: {
          [server("nats-2", "circl-production-nats-2")]: "_x5 0x20",
          [server("nats-1", "circl-production-nats-2")]: "_x5 0x20",
          [server("nats-0", "circl-production-nats-2")]: "_x9 0x20",
        },
      },
    ],
  },
  NatsMetaGroupSize: {
    fires: {
      at: "12m",
      set: [[/^nats_varz_jetstream_meta_cluster_size\{.*nats-2/, "4"]],
      labels: of2,
      summary: "circl-production-nats-2 counts 4 members of the meta group, not 3",
    },
    quiet: lastWord(/^nats_varz_jetstream_meta_cluster_size\{.*nats-2/, "2"),
  },
  NatsRouteLost: {
    fires: {
      at: "5m",
      set: [[/^nats_varz_remotes\{.*nats-2/, "1"]],
      labels: of2,
      summary: "circl-production-nats-2 is connected to 1 of 2 peers",
    },
    quiet: [
      { at: "5m" },
      // A server that is away is no lost route.
      { at: "4m", set: [[/^nats_varz_remotes\{.*nats-[01]/, "1"]], drop: [answersOf("nats-2")] },
    ],
  },
  NatsRestarting: {
    fires: {
      from: "510s",
      at: "12m",
      set: [[/^nats_varz_start\{.*nats-2/, "1x4 2x4 3x4 4x40"]],
      labels: of2,
      summary: "circl-production-nats-2 started 3 times in an hour",
    },
    quiet: { at: "12m", set: [[/^nats_varz_start\{.*nats-2/, "1x4 2x4 3x40"]] },
  },
  NatsNotReady: {
    step: "5m",
    fires: {
      at: "45m",
      // It answers all the while, so no other alert tells of it.
      set: [
        [/^kube_pod_status_ready\{.*nats-2.*condition="true"/, "0"],
        [/^kube_pod_status_ready\{.*nats-2.*condition="false"/, "1"],
      ],
      labels: { namespace, pod: "nats-2" },
      summary: "nats-2 has not been ready for more than half an hour",
    },
    quiet: {
      at: "70m",
      set: [[/^kube_pod_status_ready\{.*nats-2.*condition="true"/, "0x6 1x20"]],
      // Somebody else's pod in our namespace.
      add: { [`kube_pod_status_ready{namespace="${namespace}",pod="theirs",condition="true"}`]: "0" },
    },
  },
  NatsMemoryNearLimit: {
    fires: {
      at: "12m",
      set: [[/^nats_varz_mem\{.*nats-2/, "8000000000"]],
      labels: of2,
      summary: "circl-production-nats-2 holds 7.451GiB of 8 GiB",
    },
    quiet: [
      { at: "12m", set: [[/^nats_varz_mem\{.*nats-2/, "7700000000"]] },
      lastWord(/^nats_varz_mem\{.*nats-2/, "8000000000"),
    ],
  },
  NatsStorageFilling: {
    fires: {
      at: "12m",
      set: [[/^nats_varz_jetstream_stats_storage\{.*nats-2/, "34000000000"]],
      labels: of2,
      summary: "JetStream on circl-production-nats-2 has filled 85% of its storage",
    },
    quiet: [
      { at: "12m", set: [[/^nats_varz_jetstream_stats_storage\{.*nats-2/, "31900000000"]] },
      lastWord(/^nats_varz_jetstream_stats_storage\{.*nats-2/, "34000000000"),
    ],
  },
  NatsStorageReserved: {
    step: "5m",
    fires: {
      at: "35m",
      set: [[/^nats_varz_jetstream_stats_reserved_storage\{.*nats-2/, "38000000000"]],
      labels: of2,
      summary: "Streams reserve 95% of the storage of circl-production-nats-2",
    },
    quiet: [
      { at: "35m", set: [[/^nats_varz_jetstream_stats_reserved_storage\{.*nats-2/, "35900000000"]] },
      lastWord(/^nats_varz_jetstream_stats_reserved_storage\{.*nats-2/, "38000000000", "35m"),
    ],
  },
  NatsVolumeFilling: {
    fires: {
      at: "12m",
      set: [[/^kubelet_volume_stats_available_bytes\{.*data-nats-2/, "7000000000"]],
      labels: { namespace, persistentvolumeclaim: "data-nats-2" },
      summary: "data-nats-2 has 14% left",
    },
    quiet: {
      at: "12m",
      set: [[/^kubelet_volume_stats_available_bytes\{.*data-nats-2/, "7600000000"]],
      add: fullVolume("somebodys-cache"),
    },
  },
  NatsConnectionsNearLimit: {
    fires: {
      at: "7m",
      set: [[/^nats_varz_connections\{.*nats-2/, "4100"]],
      labels: of2,
      summary: "circl-production-nats-2 has taken 82% of its connections",
    },
    quiet: [
      { at: "7m", set: [[/^nats_varz_connections\{.*nats-2/, "4000"]] },
      lastWord(/^nats_varz_connections\{.*nats-2/, "4100"),
    ],
  },
  NatsSlowConsumers: {
    fires: {
      from: "390s",
      at: "12m",
      set: [[/^nats_varz_slow_consumers\{.*nats-2/, "1x10 6x20"]],
      labels: of2,
      summary: "circl-production-nats-2 cut off 5 slow clients in ten minutes",
    },
    // Two in ten minutes, and two more in the next.
    quiet: { at: "42m", set: [[/^nats_varz_slow_consumers\{.*nats-2/, "1x25 3x20 5x60"]] },
  },
  NatsApiErrors: {
    fires: {
      from: "8m",
      at: "22m",
      set: [[/^nats_varz_jetstream_stats_api_errors\{.*nats-2/, "0+10"]],
      labels: { namespace },
      summary: "JetStream refused 240 requests in ten minutes",
    },
    // One refusal each half minute, on every server.
    quiet: { at: "22m", set: [[/^nats_varz_jetstream_stats_api_errors\{/, "0+0.98"]] },
  },
};

function server(pod: string, metaLeader: string): string {
  const labels = {
    ...{ job: "nats", namespace, pod, instance: pod, server_id: `circl-production-${pod}` },
    ...{ cluster: "circl-production", server_name: `circl-production-${pod}`, meta_leader: metaLeader },
  };
  const text = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return `nats_server_jetstream_disabled{${text.join(",")}}`;
}
