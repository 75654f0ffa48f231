import { defineStream, STREAM_SYNC } from "../src/model/stream.ts";

/** The lock of `circl apply`: its one message says who applies and until when. Two at once would undo each other. */
const circlLock = defineStream({
  name: "circl_lock",
  description: "Who applies stream definitions now, and until when",
  subjects: ["circl.sync.lock"],
  retention: "limits",
  // A server whose file store is full refuses whatever goes into a file (10023), the lock of the apply that would make room too.
  // Three servers keep it while one restarts; if all do, there is no lock, and a run that held it says so and stops.
  storage: "memory",
  discard: "old",
  replicas: 3,
  maxMsgsPerSubject: 1,
  maxBytes: "1MiB",
  maxAge: "1d",
  maxMsgSize: "4KiB",
  // One server forgets memory at a restart; a standalone server the stream itself.
  in: { staging: { storage: "file", replicas: 1 } },
  publishers: [{ service: STREAM_SYNC, subject: "circl.sync.lock", data: { sensitivity: "internal" } }],
});

export const streams = [circlLock];
