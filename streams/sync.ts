import { defineStream, STREAM_SYNC } from "../src/model/stream.ts";

/** The lock of `circl apply`: its one message says who applies and until when. Two at once would undo each other. */
const circlLock = defineStream({
  name: "circl_lock",
  description: "Who applies stream definitions now, and until when",
  subjects: ["circl.sync.lock"],
  retention: "limits",
  storage: "file",
  discard: "old",
  replicas: 3,
  maxMsgsPerSubject: 1,
  maxBytes: "1MiB",
  maxAge: "1d",
  maxMsgSize: "4KiB",
  in: { staging: { replicas: 1 } },
  publishers: [{ service: STREAM_SYNC, subject: "circl.sync.lock", data: { sensitivity: "internal" } }],
});

export const streams = [circlLock];
