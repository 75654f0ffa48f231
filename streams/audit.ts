import { defineStream, SERVER } from "../src/model/stream.ts";

/** Who changed which stream or consumer, who logged in or was refused, and what the servers noticed: in the servers' own words. */
const circlAudit = defineStream({
  name: "circl_audit",
  description: "JetStream advisories (API audit, deliveries given up, leaders, quorum), logins and refusals",
  subjects: ["$JS.EVENT.ADVISORY.>", "circl.audit.>"],
  retention: "limits",
  storage: "file",
  discard: "old",
  replicas: 3,
  maxMsgs: 500_000,
  maxBytes: "512MiB",
  maxAge: "30d",
  maxMsgSize: "1MiB",
  in: { staging: { maxBytes: "128MiB", replicas: 1 } },
  publishers: [
    { service: SERVER, subject: "$JS.EVENT.ADVISORY.>", data: { sensitivity: "internal" } },
    // Events of the account SYS, which auth.conf imports under these names: connect, disconnect and refused.
    {
      service: SERVER,
      subject: "circl.audit.>",
      data: {
        sensitivity: "personal",
        purpose: "know who logged in from where, and who tried",
        fields: ["client.host", "client.user", "client.nkey", "client.name"],
        keepAtMost: "30d",
      },
    },
  ],
});

export const streams = [circlAudit];
