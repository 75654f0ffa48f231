/** Settings that must not compile together: `npm run types` fails if one of these lines is no error. The rules say the same. */
import { expect, test } from "vitest";
import { defineConsumer, defineStream, type StreamInput } from "../../../src/model/stream.ts";
import { checkModel } from "../../../src/rules/index.ts";
import { modelWith } from "../../support/definitions.ts";

const size = { maxBytes: "1MiB" } as const;
const origin = defineStream({ name: "origin", subjects: ["origin.>"], ...size });
const copied = { name: "origin" };

const STREAMS: readonly (readonly [code: string, stream: StreamInput])[] = [
  // @ts-expect-error a mirror with subjects
  ["S060", defineStream({ ...size, name: "T", mirror: copied, subjects: ["T.>"] })],
  // @ts-expect-error a mirror with sources
  ["S060", defineStream({ ...size, name: "T", mirror: copied, sources: [copied] })],
  // @ts-expect-error a mirror with a first sequence
  ["S060", defineStream({ ...size, name: "T", mirror: copied, firstSeq: 5 })],
  // @ts-expect-error a mirror that writes markers
  ["S060", defineStream({ ...size, name: "T", mirror: copied, subjectDeleteMarkerTtl: "1m" })],
  // @ts-expect-error a mirror that counts
  ["S060", defineStream({ ...size, name: "T", mirror: copied, allowMsgCounter: true })],
  // @ts-expect-error a mirror that schedules
  ["S060", defineStream({ ...size, name: "T", mirror: copied, allowMsgSchedules: true })],
  // @ts-expect-error a mirror that takes batches
  ["S060", defineStream({ ...size, name: "T", mirror: copied, allowAtomic: true })],
  // @ts-expect-error a mirror that takes fast batches
  ["S060", defineStream({ ...size, name: "T", mirror: copied, allowBatched: true })],
  // @ts-expect-error roll-ups where nothing may be purged
  ["S063", defineStream({ ...size, name: "T", denyPurge: true, allowRollupHdrs: true })],
  // @ts-expect-error markers where nothing may be purged
  ["S063", defineStream({ ...size, name: "T", denyPurge: true, subjectDeleteMarkerTtl: "1m" })],
  // @ts-expect-error schedules where nothing may be purged
  ["S063", defineStream({ ...size, name: "T", denyPurge: true, allowMsgSchedules: true })],
  // @ts-expect-error a counter that refuses
  ["S063", defineStream({ ...size, name: "T", allowMsgCounter: true, discard: "new" })],
  // @ts-expect-error a counter that forgets
  ["S063", defineStream({ ...size, name: "T", allowMsgCounter: true, allowMsgTtl: true })],
  // @ts-expect-error a counter with markers
  ["S063", defineStream({ ...size, name: "T", allowMsgCounter: true, subjectDeleteMarkerTtl: "1m" })],
  // @ts-expect-error a counter that is consumed away
  ["S063", defineStream({ ...size, name: "T", allowMsgCounter: true, retention: "interest" })],
  // @ts-expect-error a counter with schedules
  ["S063", defineStream({ ...size, name: "T", allowMsgCounter: true, allowMsgSchedules: true })],
  // @ts-expect-error schedules that are refused
  ["S063", defineStream({ ...size, name: "T", allowMsgSchedules: true, discard: "new" })],
  // @ts-expect-error schedules that are copied
  ["S063", defineStream({ ...size, name: "T", allowMsgSchedules: true, sources: [copied] })],
  // @ts-expect-error written later, to memory
  ["S063", defineStream({ ...size, name: "T", persistMode: "async", storage: "memory" })],
  // @ts-expect-error written later, by three
  ["S063", defineStream({ ...size, name: "T", persistMode: "async", replicas: 3 })],
  // @ts-expect-error written later, and all at once
  ["S063", defineStream({ ...size, name: "T", persistMode: "async", allowAtomic: true })],
  // @ts-expect-error direct reads of a mirror that is none
  ["S063", defineStream({ ...size, name: "T", mirrorDirect: true })],
  // @ts-expect-error a limit per subject that deletes
  ["S061", defineStream({ ...size, name: "T", discardNewPerSubject: true, maxMsgsPerSubject: 1 })],
  // @ts-expect-error the same in one environment
  ["S063", defineStream({ ...size, name: "T", in: { production: { denyPurge: true, allowRollupHdrs: true } } })],
];

const named = { name: "C", service: "oms" } as const;
const CONSUMERS: readonly (readonly [code: string, consumer: ReturnType<typeof defineConsumer>])[] = [
  // @ts-expect-error one filter and several
  ["S043", defineConsumer({ ...named, filterSubject: "T.x", filterSubjects: ["T.y"] })],
  // @ts-expect-error a sequence that the policy does not start at
  ["S044", defineConsumer({ ...named, optStartSeq: 5 })],
  // @ts-expect-error a time that the policy does not start at
  ["S044", defineConsumer({ ...named, optStartTime: "2026-01-02T03:04:05Z" })],
  // @ts-expect-error a policy without its sequence
  ["S044", defineConsumer({ ...named, deliverPolicy: "by_start_sequence" })],
  // @ts-expect-error a policy without its time
  ["S044", defineConsumer({ ...named, deliverPolicy: "by_start_time" })],
  // @ts-expect-error the last of each subject, without a filter
  ["S044", defineConsumer({ ...named, deliverPolicy: "last_per_subject" })],
  // @ts-expect-error heartbeats to readers that ask
  ["S048", defineConsumer({ ...named, idleHeartbeat: "1s" })],
  // @ts-expect-error flow control of readers that ask
  ["S048", defineConsumer({ ...named, flowControl: true })],
  // @ts-expect-error a rate limit of readers that ask
  ["S048", defineConsumer({ ...named, rateLimitBps: 1_000 })],
  // @ts-expect-error a group of readers that share anyway
  ["S048", defineConsumer({ ...named, deliverGroup: "readers" })],
  // @ts-expect-error a queue of requests where nobody asks
  ["S048", defineConsumer({ ...named, deliverSubject: "push.T", maxWaiting: 5 })],
  // @ts-expect-error a policy without its groups
  ["S049", defineConsumer({ ...named, priorityPolicy: "overflow" })],
  // @ts-expect-error groups without a policy
  ["S049", defineConsumer({ ...named, priorityGroups: ["spare"] })],
  // @ts-expect-error a client that is never pinned, and its time
  ["S049", defineConsumer({ ...named, priorityPolicy: "overflow", priorityGroups: ["spare"], priorityTimeout: "10s" })],
  // @ts-expect-error a group of readers that do not ask
  ["S049", defineConsumer({ ...named, deliverSubject: "push.T", priorityPolicy: "overflow", priorityGroups: ["a"] })],
  // @ts-expect-error acknowledged by flow control that there is none of
  ["S052", defineConsumer({ ...named, ackPolicy: "flow_control" })],
  // @ts-expect-error acknowledged by flow control, and delivered again
  ["S052", defineConsumer({ ...named, ackPolicy: "flow_control", deliverSubject: "push.T", maxDeliver: 3 })],
  // @ts-expect-error acknowledged by flow control, and in time
  ["S052", defineConsumer({ ...named, ackPolicy: "flow_control", deliverSubject: "push.T", ackWait: "30s" })],
  // @ts-expect-error flow control without heartbeats
  ["S048", defineConsumer({ ...named, deliverSubject: "push.T", flowControl: true })],
];

/** What compiles: the nearest neighbours of the above. */
const LEGAL: readonly StreamInput[] = [
  defineStream({ ...size, name: "L1", mirror: copied, allowAtomic: false, mirrorDirect: false }),
  defineStream({ ...size, name: "L2", denyPurge: true, denyDelete: true }),
  defineStream({ ...size, name: "L3", allowMsgCounter: true, discard: "old", retention: "limits" }),
  defineStream({ ...size, name: "L4", allowMsgSchedules: true, allowMsgTtl: true }),
  defineStream({ ...size, name: "L5", persistMode: "async", storage: "file", replicas: 1 }),
  defineStream({ ...size, name: "L6", discardNewPerSubject: true, discard: "new", maxMsgsPerSubject: 1 }),
  defineStream({
    ...size,
    name: "L7",
    discard: "new",
    maxMsgsPerSubject: 1,
    in: { production: { discardNewPerSubject: true } },
    consumers: [
      defineConsumer({ ...named, name: "C1", deliverPolicy: "by_start_sequence", optStartSeq: 5 }),
      defineConsumer({ ...named, name: "C2", deliverPolicy: "last_per_subject", filterSubjects: ["L7"] }),
      defineConsumer({ ...named, name: "C4", deliverSubject: "push.L7", flowControl: true, idleHeartbeat: "1s" }),
      defineConsumer({ ...named, name: "C5", ackPolicy: "flow_control", deliverSubject: "push.flow" }),
      defineConsumer({ ...named, name: "C6", priorityPolicy: "pinned_client", priorityGroups: ["a"] }),
      defineConsumer({ ...named, name: "C7", priorityPolicy: "overflow", priorityGroups: ["a", "b"] }),
      { ...named, name: "C3", maxDeliver: 3, deliverPolicy: "last_per_subject", filterSubject: ">" },
    ],
  }),
];

const errors = (streams: readonly StreamInput[]): string[] =>
  checkModel(modelWith({ streams: [origin, ...streams] })).flatMap(({ code, severity }) =>
    severity === "error" ? [code] : [],
  );

test.each(STREAMS.map(([code, stream]) => [code, JSON.stringify(stream), stream] as const))(
  "%s finds %s as well",
  (code, _, stream) => expect(errors([stream])).toContain(code),
);

test.each(CONSUMERS.map(([code, consumer]) => [code, JSON.stringify(consumer), consumer] as const))(
  "%s finds %s as well",
  (code, _, consumer) =>
    expect(errors([{ ...size, name: "T", subjects: ["T.>"], consumers: [consumer] }])).toContain(code),
);

test("what compiles beside them breaks no rule", () => expect(errors(LEGAL)).toEqual([]));
