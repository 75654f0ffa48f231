import { defineStream, SERVER } from "../src/model/stream.ts";

/** Who changed which stream or consumer, and what the servers noticed: the advisories of JetStream itself. */
const circlAudit = defineStream({
  name: "circl_audit",
  description: "JetStream advisories: API audit, deliveries given up, leaders, quorum",
  subjects: ["$JS.EVENT.ADVISORY.>"],
  retention: "limits",
  storage: "file",
  discard: "old",
  replicas: 3,
  maxMsgs: 500_000,
  maxBytes: "512MiB",
  maxAge: "30d",
  maxMsgSize: "1MiB",
  in: { staging: { maxBytes: "128MiB", replicas: 1 } },
  publishers: [{ service: SERVER, subject: "$JS.EVENT.ADVISORY.>", data: { sensitivity: "internal" } }],
});

export const streams = [circlAudit];
