/** Every pair of settings of a stream and of a consumer: what the rules say of it, what a server says, and what a restart leaves. */
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { desiredState } from "../../src/jetstream/desired.ts";
import type { Model } from "../../src/model/resolve.ts";
import type { StreamInput } from "../../src/model/stream.ts";
import { atLeast, parseVersion } from "../../src/model/version.ts";
import { checkModel } from "../../src/rules/index.ts";
import { modelOn, streamFindings, versionOf } from "./create-refusal-suite.ts";
import { request } from "./jetstream.ts";
import { createConsumer } from "./jetstream-refusal-suite.ts";
import { restart } from "./jetstream-restart.ts";
import { Cluster } from "./nats-server.ts";
import { consumerWith } from "./refused-definitions.ts";
import { tool } from "./tools.ts";

const origin: StreamInput = { name: "origin", subjects: ["origin.>"], maxBytes: "64KiB" };

/** Settings by a title; each pair is asked for together. */
const STREAM_SETTINGS: readonly (readonly [title: string, setting: Partial<StreamInput>, since?: string])[] = [
  ["noAck", { noAck: true }],
  ["discard new", { discard: "new" }],
  ["retention interest", { retention: "interest" }],
  ["retention workqueue", { retention: "workqueue" }],
  ["storage memory", { storage: "memory" }],
  ["maxConsumers", { maxConsumers: 5 }],
  ["maxMsgs", { maxMsgs: 5 }],
  ["maxMsgsPerSubject", { maxMsgsPerSubject: 5 }],
  ["maxMsgSize", { maxMsgSize: "1KiB" }],
  ["maxAge", { maxAge: "1m" }],
  ["duplicateWindow", { duplicateWindow: "2m" }],
  ["sources", { sources: [{ name: "origin" }], subjects: [] }],
  ["mirror", { mirror: { name: "origin" }, subjects: [] }],
  ["denyDelete", { denyDelete: true }],
  ["denyPurge", { denyPurge: true }],
  ["allowRollupHdrs", { allowRollupHdrs: true }],
  ["allowDirect", { allowDirect: true }],
  ["mirrorDirect", { mirrorDirect: true }],
  ["discardNewPerSubject", { discardNewPerSubject: true }],
  ["compression", { compression: "s2" }],
  ["firstSeq", { firstSeq: 5 }],
  ["republish", { republish: { src: ">", dest: "again.>" } }],
  ["subjectTransform", { subjectTransform: { src: ">", dest: "moved.>" } }],
  ["consumerLimits", { consumerLimits: { maxAckPending: 5, inactiveThreshold: "1h" } }],
  ["placement", { placement: { cluster: "elsewhere", tags: ["ssd"] } }],
  ["allowMsgTtl", { allowMsgTtl: true }],
  ["subjectDeleteMarkerTtl", { subjectDeleteMarkerTtl: "1m" }],
  ["allowMsgCounter", { allowMsgCounter: true }],
  ["allowAtomic", { allowAtomic: true }],
  ["allowMsgSchedules", { allowMsgSchedules: true }],
  ["persistMode async", { persistMode: "async" }],
  ["allowBatched", { allowBatched: true }, "2.14"],
];

const CONSUMER_SETTINGS: readonly (readonly [title: string, setting: Parameters<typeof consumerWith>[0]])[] = [
  ["deliverPolicy last", { deliverPolicy: "last" }],
  ["deliverPolicy new", { deliverPolicy: "new" }],
  ["deliverPolicy by_start_sequence", { deliverPolicy: "by_start_sequence" }],
  ["deliverPolicy by_start_time", { deliverPolicy: "by_start_time" }],
  ["deliverPolicy last_per_subject", { deliverPolicy: "last_per_subject" }],
  ["optStartSeq", { optStartSeq: 5 }],
  ["optStartTime", { optStartTime: "2026-01-02T03:04:05Z" }],
  ["ackPolicy none", { ackPolicy: "none" }],
  ["ackPolicy all", { ackPolicy: "all" }],
  ["ackPolicy explicit", { ackPolicy: "explicit" }],
  ["ackWait", { ackWait: "1s" }],
  ["maxDeliver", { maxDeliver: 1 }],
  ["backoff", { backoff: ["1s", "2s"] }],
  ["replayPolicy", { replayPolicy: "original" }],
  ["sampleFreq", { sampleFreq: "30%" }],
  ["maxWaiting", { maxWaiting: 5 }],
  ["maxAckPending", { maxAckPending: 5 }],
  ["maxAckPending above the limit", { maxAckPending: 6 }],
  ["inactiveThreshold", { inactiveThreshold: "1h" }],
  ["inactiveThreshold above the limit", { inactiveThreshold: "2h" }],
  ["headersOnly", { headersOnly: true }],
  ["maxBatch", { maxBatch: 5 }],
  ["maxExpires", { maxExpires: "1s" }],
  ["maxBytes", { maxBytes: "1KiB" }],
  ["replicas", { replicas: 1 }],
  ["memStorage", { memStorage: true }],
  ["deliverSubject", { deliverSubject: "push.T" }],
  ["deliverGroup", { deliverGroup: "readers" }],
  ["idleHeartbeat", { idleHeartbeat: "1s" }],
  ["flowControl", { flowControl: true }],
  ["rateLimitBps", { rateLimitBps: 1_000 }],
  ["filterSubject", { filterSubject: "T.x" }],
  ["filterSubjects", { filterSubjects: ["T.x", "T.y"] }],
];

/** Each with itself as well: one setting alone. */
const pairs = <T>(settings: readonly T[]): (readonly [T, T])[] =>
  settings.flatMap((a, i) => settings.slice(i).map((b) => [a, b] as const));
const titleOf = (a: string, b: string): string => (a === b ? a : `${a} + ${b}`);

const codesOf = (model: Model): number[] => streamFindings(model).flatMap(({ errCode }) => errCode ?? []);
/** Errors, and the warning that a restart takes the stream. */
const warned = (model: Model): boolean =>
  checkModel(model).some(({ code, severity }) => (severity === "error" && code.startsWith("S")) || code === "S068");

export function createPairSuite(server: string): void {
  const version = versionOf(server);
  const parsed = parseVersion(version) ?? { major: 0, minor: 0, patch: 0 };
  let cluster: Cluster;
  let connection: NatsConnection;
  beforeAll(async () => {
    cluster = await Cluster.start(modelOn(1, version, []), { binary: tool(server) });
    connection = await cluster.connect();
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  test("of a stream: refused by the server exactly where a rule names its code, and there after a restart where no rule warns", async () => {
    const [first] = desiredState(modelOn(1, version, [origin])).streams;
    expect((await request(connection, "STREAM.CREATE.origin", first)).error).toBeUndefined();
    const known = STREAM_SETTINGS.filter(([, , since = "2.10"]) => atLeast(parsed, since));
    const disagreed: unknown[] = [];
    const accepted: { readonly name: string; readonly title: string }[] = [];
    for (const [i, [[a, one], [b, other]]] of pairs(known).entries()) {
      const name = `S${i}`;
      const stream: StreamInput = { name, maxBytes: "64KiB", subjects: [`${name}.>`], ...one, ...other };
      const model = modelOn(1, version, [origin, stream]);
      const reply = await request(connection, `STREAM.CREATE.${name}`, desiredState(model).streams[1]);
      const ours = codesOf(model);
      const theirs = reply.error?.err_code;
      const title = titleOf(a, b);
      if (theirs === undefined ? ours.length > 0 : !ours.includes(theirs)) disagreed.push({ title, theirs, ours });
      if (theirs === undefined && !warned(model)) accepted.push({ name, title });
    }
    expect(disagreed).toEqual([]);

    await connection.close();
    await restart(cluster);
    connection = await cluster.connect();
    const listed = (await request(connection, "STREAM.NAMES")) as { readonly streams?: readonly string[] };
    expect(accepted.length).toBeGreaterThan(300);
    expect(accepted.filter(({ name }) => !listed.streams?.includes(name))).toEqual([]);
  });

  test.each(["limits", "interest", "workqueue"] as const)(
    "of a consumer of a stream with retention %s: refused by the server exactly where a rule names its code",
    async (retention) => {
      const stream: StreamInput = {
        name: "T",
        maxBytes: "64KiB",
        subjects: ["T.>"],
        retention,
        consumerLimits: { maxAckPending: 5, inactiveThreshold: "1h" },
      };
      const [config] = desiredState(modelOn(1, version, [stream])).streams;
      expect((await request(connection, "STREAM.CREATE.T", config)).error).toBeUndefined();
      const disagreed: unknown[] = [];
      for (const [[a, one], [b, other]] of pairs(CONSUMER_SETTINGS)) {
        const consumer = consumerWith({ name: "C", ...one, ...other });
        const model = modelOn(1, version, [{ ...stream, consumers: [consumer] }]);
        const [asked] = desiredState(model).consumers;
        const reply = await createConsumer(connection, "T", asked?.config ?? {});
        await request(connection, "CONSUMER.DELETE.T.C");
        const ours = codesOf(model);
        const theirs = reply.error?.err_code;
        if (theirs === undefined ? ours.length > 0 : !ours.includes(theirs)) {
          disagreed.push({ title: titleOf(a, b), theirs, ours });
        }
      }
      await request(connection, "STREAM.DELETE.T");
      expect(disagreed).toEqual([]);
    },
  );
}
