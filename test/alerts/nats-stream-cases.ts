/** One case an alert about the streams and consumers of production. */
import type { AlertCases, NearMiss } from "./scenario.ts";

const namespace = "circl-backbone";
const oms = { namespace, stream_name: "circl_oms" };
const copy = { namespace, stream_name: "circl_iot_location", source_name: "circl_iot" };
const geo = { namespace, stream_name: "circl_iot_location", consumer_name: "geo-location" };
const orders = { namespace, stream_name: "circl_oms", consumer_name: "dms-orders" };

/** A server came back with an empty volume, and takes from the others, who have `last`, what was published long ago. A copy took all. */
const catchesUp = (stream: string, last: string, copy?: string): NearMiss => ({
  at: "24m",
  set: [
    [new RegExp(`^nats_stream_last_seq.*${stream}"`), last],
    [new RegExp(`^nats_stream_last_seq.*pod="nats-2".*${stream}"`), "0+20000"],
    ...(copy ? [[new RegExp(`^nats_stream_last_seq.*${copy}"`), "700"] as const] : []),
  ],
  also: ["NatsStreamReplicaLagging"],
});

export const natsStreamCases: AlertCases = {
  NatsStreamWithoutLeader: {
    fires: {
      at: "5m",
      drop: [
        /^nats_stream_.*is_stream_leader="true".*stream_name="circl_oms"|^nats_stream_.*stream_name="circl_oms".*is_stream_leader="true"/,
      ],
      labels: oms,
      summary: "No server leads the stream circl_oms",
    },
    // An election that takes four scrapes.
    quiet: {
      at: "12m",
      set: [[/^nats_stream_total_messages.*nats-0.*circl_oms"/, "20x4 stale _ _ _ 20x20"]],
    },
  },
  NatsStreamNearlyFull: {
    fires: [
      {
        at: "7m",
        set: [[/^nats_stream_total_bytes.*KV_vehicles/, "99614720"]],
        labels: { namespace, stream_name: "KV_vehicles" },
        summary: "KV_vehicles is 95% full",
      },
      {
        at: "7m",
        set: [
          [/^nats_stream_total_messages.*KV_vehicles/, "46"],
          [/^nats_stream_limit_messages.*KV_vehicles/, "50"],
        ],
        labels: { namespace, stream_name: "KV_vehicles" },
        summary: "KV_vehicles is 92% full",
      },
    ],
    // A stream that lets its oldest messages go is full most of the time; and a replica may have yet to drop what the leader dropped.
    quiet: {
      at: "7m",
      set: [
        [/^nats_stream_total_bytes.*KV_vehicles/, "94000000"],
        [/^nats_stream_total_bytes.*pod="nats-2".*KV_vehicles/, "104000000"],
        [/^nats_stream_total_messages.*KV_vehicles/, "45"],
        [/^nats_stream_limit_messages.*KV_vehicles/, "50"],
        [/^nats_stream_total_bytes.*circl_iot"/, "1073741824"],
      ],
    },
  },
  NatsStreamReplicasMissing: {
    fires: {
      at: "12m",
      drop: [/^nats_stream_.*pod="nats-2".*circl_oms"/],
      labels: oms,
      summary: "circl_oms lies on 2 servers only",
    },
    quiet: { at: "22m", set: [[/^nats_stream_.*pod="nats-2".*circl_oms"/, "0+3000x4 stale _x19 75000+3000x40"]] },
  },
  NatsStreamReplicaLagging: {
    fires: {
      from: "450s",
      at: "12m",
      set: [[/^nats_stream_last_seq.*pod="nats-2".*circl_oms"/, "0x4 0+2000x40"]],
      labels: oms,
      summary: "A replica of circl_oms lacks 22k messages that are two minutes old",
    },
    // Two minutes of messages behind, all the time.
    quiet: { at: "12m", set: [[/^nats_stream_last_seq.*pod="nats-2".*circl_oms"/, "0x3 0+3000x40"]] },
  },
  NatsDeadLetters: {
    fires: {
      at: "4m",
      set: [[/^nats_stream_total_messages.*circl_dlq/, "101"]],
      labels: { namespace, stream_name: "circl_dlq" },
      summary: "circl_dlq holds 101 messages that nobody could handle (alert above 100)",
    },
    // And no other stream has such a limit.
    quiet: {
      at: "4m",
      set: [
        [/^nats_stream_total_messages.*circl_dlq/, "100"],
        [/^nats_stream_total_messages.*circl_audit/, "400000"],
      ],
    },
  },
  NatsPublishRateExceeded: {
    fires: {
      // Nothing is known of the first ten minutes.
      from: "20m",
      at: "22m",
      set: [[/^nats_stream_last_seq.*circl_oms"/, "0+6000"]],
      labels: oms,
      summary: "circl_oms takes 200 messages a second, declared are 170",
    },
    quiet: [
      { at: "22m", set: [[/^nats_stream_last_seq.*circl_oms"/, "0+5000"]] },
      catchesUp("circl_oms", "1000000+3000"),
    ],
  },
  NatsSourceStalled: {
    fires: [
      {
        from: "1m",
        at: "4m",
        // The lag stays what it was: only the silence grows.
        set: [[/^nats_stream_source_active_duration_ns/, "500000000 30000000000+30000000000x20"]],
        labels: copy,
        summary: "circl_iot_location has heard nothing for 4m 0s of circl_iot",
      },
      {
        at: "4m",
        // A mirror that never heard of its origin.
        set: [[/^nats_stream_mirror_active_duration_ns/, "-1"]],
        labels: { namespace, stream_name: "circl_oms_copy", source_name: "circl_oms" },
        summary: "circl_oms_copy never heard of circl_oms",
      },
      {
        at: "4m",
        // Its origin keeps more: it has a minute.
        set: [[/^nats_stream_mirror_active_duration_ns/, "61000000000"]],
        labels: { namespace, stream_name: "circl_oms_copy", source_name: "circl_oms" },
        summary: "circl_oms_copy has heard nothing for 1m 1s of circl_oms",
      },
    ],
    // As long a silence as each origin allows; and a copy that has this moment heard of its own.
    quiet: ["60000000000", "0"].map((silence) => ({
      at: "12m",
      set: [
        [/^nats_stream_source_active_duration_ns/, "23000000000"],
        [/^nats_stream_mirror_active_duration_ns/, silence],
      ],
    })),
  },
  NatsSourceStuck: {
    // A mirror whose origin takes 170 messages a second at its peak.
    fires: {
      from: "11m",
      at: "12m",
      set: [[/^nats_stream_last_seq.*circl_oms_copy"/, "700"]],
      labels: { namespace, stream_name: "circl_oms_copy", source_name: "circl_oms" },
      summary: "circl_oms_copy has copied nothing for ten minutes, in which circl_oms took 60k messages",
    },
    quiet: [
      {
        at: "22m",
        set: [
          [/^nats_stream_last_seq.*circl_oms_copy"/, "700"],
          [/^nats_stream_last_seq.*circl_oms"/, "0+8.4"],
        ],
      },
      // One order in ten minutes.
      { at: "32m", set: [[/^nats_stream_last_seq.*circl_oms_copy"/, "700x19 701x19 702x19 703x19"]] },
      catchesUp("circl_oms", "1000000", "circl_oms_copy"),
    ],
  },
  NatsSourceIdle: {
    fires: {
      from: "11m",
      at: "12m",
      set: [[/^nats_stream_last_seq.*circl_iot_location"/, "700"]],
      labels: copy,
      summary: "circl_iot_location has copied nothing for ten minutes, in which circl_iot took 60k messages",
    },
    quiet: [
      // Its vehicles are all parked, and say little: ten minutes bring less than a second of peak.
      {
        at: "22m",
        set: [
          [/^nats_stream_last_seq.*circl_iot_location"/, "700"],
          [/^nats_stream_last_seq.*circl_iot"/, "0+365"],
        ],
      },
      catchesUp("circl_iot", "1000000", "circl_iot_location"),
      // One location in ten minutes.
      { at: "32m", set: [[/^nats_stream_last_seq.*circl_iot_location"/, "700x19 701x19 702x19 703x19"]] },
    ],
  },
  NatsSourceLagging: {
    fires: {
      at: "5m",
      set: [[/^nats_stream_source_lag/, "200000"]],
      labels: copy,
      summary: "circl_iot_location is 200k messages behind circl_iot (alert above 116.5k)",
    },
    quiet: { at: "12m", set: [[/^nats_stream_source_lag/, "116500"]] },
  },
  NatsConsumerWithoutLeader: {
    fires: {
      at: "5m",
      drop: [
        /^nats_consumer_.*is_consumer_leader="true".*geo-location|^nats_consumer_.*geo-location.*is_consumer_leader="true"/,
      ],
      labels: geo,
      summary: "No server leads the consumer geo-location on circl_iot_location",
    },
    quiet: { at: "12m", set: [[/^nats_consumer_num_pending.*nats-0.*geo-location/, "5x4 stale _ _ _ 5x20"]] },
  },
  NatsConsumerBacklog: {
    fires: {
      at: "7m",
      set: [[/^nats_consumer_num_pending.*geo-location/, "600000"]],
      labels: geo,
      summary: "600k messages wait for geo-location on circl_iot_location (alert above 275k)",
    },
    // A peak that is worked off.
    quiet: { at: "12m", set: [[/^nats_consumer_num_pending.*geo-location/, "600000 275000x20"]] },
  },
  NatsConsumerStuck: {
    fires: {
      from: "15m",
      at: "17m",
      set: [
        [/^nats_consumer_num_pending.*dms-orders/, "12"],
        [/^nats_consumer_delivered_consumer_seq.*dms-orders/, "700"],
      ],
      labels: orders,
      summary: "12 messages wait for dms-orders on circl_oms, and none was delivered for ten minutes",
    },
    // Nothing delivered, because nothing waits; and one delivery in nine minutes is no standstill.
    quiet: {
      at: "27m",
      set: [
        [/^nats_consumer_num_pending.*dms-orders/, "0"],
        [/^nats_consumer_delivered_consumer_seq.*dms-orders/, "700"],
        [/^nats_consumer_delivered_consumer_seq.*oms-delivery/, "700x17 701x17 702x17 703x17"],
      ],
    },
  },
  NatsConsumerRedelivering: {
    fires: {
      at: "7m",
      set: [[/^nats_consumer_num_(redelivered|ack_pending).*dms-orders/, "250"]],
      labels: orders,
      summary: "dms-orders on circl_oms is given 250 messages again and again (alert above 100)",
    },
    quiet: [
      { at: "12m", set: [[/^nats_consumer_num_(redelivered|ack_pending).*dms-orders/, "250x9 100x20"]] },
      // Nobody has them in hand any more: the server gave up on them, and counts them until the stream drops them.
      {
        at: "12m",
        set: [
          [/^nats_consumer_num_redelivered.*dms-orders/, "250"],
          [/^nats_consumer_num_ack_pending.*dms-orders/, "0"],
        ],
        also: ["NatsConsumerGaveUp"],
      },
    ],
  },
  NatsConsumerGaveUp: {
    step: "5m",
    fires: {
      from: "10m",
      at: "30m",
      set: [
        [/^nats_consumer_num_redelivered.*dms-orders/, "1 4x100"],
        [/^nats_consumer_num_ack_pending.*dms-orders/, "3 0x100"],
      ],
      labels: orders,
      summary: "The server gave up on 4 messages of dms-orders on circl_oms within a day",
    },
    // As many as are in somebody's hands may be given again.
    quiet: {
      at: "2h",
      set: [
        [/^nats_consumer_num_redelivered.*dms-orders/, "40"],
        [/^nats_consumer_num_ack_pending.*dms-orders/, "40"],
      ],
    },
  },
};
