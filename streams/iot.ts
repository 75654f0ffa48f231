import { defineConsumer, defineStream } from "../src/model/stream.ts";

// Rates and sizes are declared peaks, assumed until measured. At these rates the limits, not the age, decide how long
// messages live: `circl check` says how long that is.

const small = { maxMsgs: 100_000, maxBytes: "100MiB", maxAge: "3d", replicas: 1 } as const;

/** Everything devices say, and the commands sent to them. */
const circlIot = defineStream({
  name: "circl_iot",
  description: "Device status, telemetry, events, locations and commands",
  subjects: ["circl.iot.>"],
  retention: "limits",
  storage: "file",
  discard: "old",
  replicas: 3,
  maxConsumers: -1,
  maxMsgs: 1_000_000,
  maxBytes: "1GiB",
  maxAge: "7d",
  maxMsgSize: "1MiB",
  duplicateWindow: "2m",
  in: { staging: small },
  deadLetters: "circl.dlq.iot.>",
  publishers: [
    { service: "iot", subject: "circl.iot.status.>", rate: "200/s", size: "300B", data: { sensitivity: "internal" } },
    {
      service: "iot",
      subject: "circl.iot.telemetry.>",
      rate: "2000/s",
      size: "500B",
      data: { sensitivity: "internal" },
    },
    { service: "iot", subject: "circl.iot.event.>", rate: "100/s", size: "300B", data: { sensitivity: "internal" } },
    {
      service: "iot",
      subject: "circl.iot.location.>",
      rate: "5000/s",
      size: "300B",
      data: {
        sensitivity: "personal",
        purpose: "show vehicles on the map and dispatch the nearest one",
        fields: ["deviceId", "latitude", "longitude", "altitude", "speed", "heading", "timestamp"],
        keepAtMost: "45d",
      },
    },
    { service: "bff", subject: "circl.iot.command.>", rate: "20/s", size: "500B", data: { sensitivity: "internal" } },
  ],
  consumers: [
    defineConsumer({ name: "iot-commands", service: "iot", filterSubject: "circl.iot.command.>" }),
    defineConsumer({ name: "bff-iot", service: "bff" }),
  ],
});

/**
 * Locations alone, with retention and readers of their own. It has no subjects: they belong to circl_iot, and the server
 * refuses two streams on one subject (error 10065), so it copies them from there.
 */
const circlIotLocation = defineStream({
  name: "circl_iot_location",
  description: "Device locations, copied from circl_iot",
  sources: [{ name: "circl_iot", filterSubject: "circl.iot.location.>" }],
  retention: "limits",
  storage: "file",
  discard: "old",
  replicas: 3,
  maxConsumers: -1,
  maxMsgs: 1_000_000,
  maxBytes: "1GiB",
  maxAge: "7d",
  // Copying adds a header: at the origin's 1 MiB a single full message would stall the copy for ever.
  maxMsgSize: "1088KiB",
  in: { staging: small },
  deadLetters: "circl.dlq.iot.>",
  consumers: [
    defineConsumer({ name: "dms-location", service: "dms" }),
    defineConsumer({ name: "bff-location", service: "bff" }),
    defineConsumer({ name: "geo-location", service: "geo" }),
  ],
});

export const streams = [circlIot, circlIotLocation];
