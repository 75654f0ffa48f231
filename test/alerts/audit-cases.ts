/** Cases of the alerts on what the servers report: twenty reports of each stream in ten minutes are nothing new. */
import type { AlertCases } from "./scenario.ts";

const refused = /^nats_stream_last_seq\{.*circl_audit_refused/;

export const auditCases: AlertCases = {
  NatsLoginsRefused: {
    fires: {
      from: "330s",
      at: "14m",
      set: [[refused, "0+5x60"]],
      labels: { namespace: "circl-backbone" },
      summary: "NATS refused 100 logins in ten minutes",
    },
    // Somebody who mistypes a password ten times, refused by three servers each time.
    quiet: { at: "34m", set: [[refused, "0x25 30x50"]] },
  },
};
