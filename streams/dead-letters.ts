import { defineStream } from "../src/model/stream.ts";

/**
 * What a consumer could not handle: `circl.dlq.<domain>.<entity>.<action>`, the original payload plus error reason, retry
 * count and time. Whoever consumes a stream may publish here; nobody consumes it, people look at it.
 */
const circlDlq = defineStream({
  name: "circl_dlq",
  description: "Messages that consumers gave up on",
  subjects: ["circl.dlq.>"],
  retention: "limits",
  storage: "file",
  discard: "old",
  replicas: 3,
  maxMsgs: 100_000,
  maxBytes: "1GiB",
  maxAge: "30d",
  // Wraps the original, so it must take more than any stream that dead-letters here.
  maxMsgSize: "2MiB",
  duplicateWindow: "2m",
  in: { staging: { maxBytes: "256MiB", replicas: 1 } },
});

export const streams = [circlDlq];
