/** Cases of the alerts on what the servers report: twenty reports of each stream in ten minutes are nothing new. */
import type { AlertCases } from "./scenario.ts";

const refused = /^nats_stream_last_seq\{.*circl_audit_refused/;

export const auditCases: AlertCases = {
  NatsLoginsRefused: {
    fires: {
      // From the tenth minute on one every six seconds: the 35th of them is the seventh half minute's.
      from: "930s",
      at: "22m",
      set: [[refused, "20x20 25+5x60"]],
      labels: { namespace: "circl-backbone" },
      summary: "NATS refused 100 logins in ten minutes",
    },
    // Somebody who mistypes a password ten times, refused by three servers each time.
    quiet: [
      { at: "34m", set: [[refused, "0x25 30x50"]] },
      // A server came back with an empty volume, and takes from the others the refusals of last month.
      {
        at: "24m",
        set: [
          [refused, "1000"],
          [/^nats_stream_last_seq\{.*pod="nats-2".*circl_audit_refused/, "0+20"],
        ],
        also: ["NatsStreamReplicaLagging"],
      },
    ],
  },
};
