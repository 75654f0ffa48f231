/** Consumers that a rule refuses, and the nearest ones that it does not. */
import type { StreamInput } from "../../src/model/stream.ts";
import { consumerWith, plain, type RefusedCase, row, whole, worker } from "./refused-definitions.ts";

type Settings = Parameters<typeof consumerWith>[0];
const having = (consumer: Settings, stream: Partial<StreamInput> = {}): readonly StreamInput[] => [
  { ...plain, ...stream, consumers: [consumerWith(consumer)] },
];
const queue = (...consumers: readonly Settings[]): readonly StreamInput[] => [
  {
    ...plain,
    retention: "workqueue",
    consumers: consumers.map((consumer, i) => consumerWith({ name: `worker-${i}`, ...consumer })),
  },
];
const place = (setting: string): string => `consumers[0] worker${setting ? `.${setting}` : ""}`;
const text = (length: number): string => "x".repeat(length);
const start = "2026-01-02T03:04:05Z";
const limited = { consumerLimits: { maxAckPending: 50, inactiveThreshold: "1h" } } as const;

const published: StreamInput = {
  ...plain,
  retention: "workqueue",
  publishers: [{ service: "oms", subject: "plain.x", data: { sensitivity: "internal" } }],
};

export const REFUSED_CONSUMERS: readonly RefusedCase[] = [
  whole("S004", "a consumer name with a slash", {
    fires: having({ name: "a/b" }),
    at: "consumers[0].name",
    says: '"a/b" contains / or \\ (10127)',
    quiet: having({ name: "a-b" }),
  }),
  whole("S004", "a consumer name of more than 255 bytes", {
    fires: having({ name: text(256) }),
    at: "consumers[0].name",
    says: `"${text(20)}..." has over 255 bytes (10102)`,
    quiet: having({ name: text(200) }),
  }),
  whole("S010", "a filter with an empty token", {
    fires: having({ filterSubjects: ["plain.x", "plain."] }),
    at: "consumers[0].filterSubjects[1]",
    says: '"plain." has an empty token (a leading, trailing or double ".") (10052)',
    quiet: having({ filterSubjects: ["plain.x", "plain.y"] }),
  }),
  whole("S010", "a single filter with an empty token", {
    fires: having({ filterSubject: "plain." }),
    at: "consumers[0].filterSubject",
    says: '"plain." has an empty token (a leading, trailing or double ".")',
    quiet: having({ filterSubject: "plain.x" }),
    unasked: "the filter is part of the request's subject, which then reaches nobody",
  }),
  whole("S032", "more replicas than the stream", {
    fires: having({ replicas: 3 }, { replicas: 1 }),
    at: place("replicas"),
    says: "is 3, but the stream has 1 (10126)",
    quiet: having({ replicas: 1 }, { replicas: 1 }),
    servers: 3,
  }),
  whole("S041", "more backoff steps than deliveries", {
    fires: having({ backoff: ["1s", "2s"], maxDeliver: 1 }),
    at: place(""),
    says: "has 2 backoff steps and maxDeliver 1 (10116)",
    quiet: having({ backoff: ["1s", "2s"], maxDeliver: 2 }),
  }),
  whole("S043", "one filter and several", {
    fires: having({ filterSubject: "plain.x", filterSubjects: ["plain.y"] }),
    at: place(""),
    says: "has filterSubject and filterSubjects (10137)",
    quiet: having({ filterSubjects: ["plain.x", "plain.y"] }),
  }),
  whole("S043", "a filter inside another", {
    fires: having({ filterSubjects: ["plain.*", "plain.x"] }),
    at: place(""),
    says: 'filters for "plain.*" and "plain.x", which overlap (10138)',
    quiet: having({ filterSubjects: ["plain.*.x", "plain.x.*"] }),
  }),
  row("S044", 'optStartSeq without deliverPolicy "by_start_sequence"', {
    fires: having({ optStartSeq: 5 }),
    at: place("optStartSeq"),
    says: 'optStartSeq with deliverPolicy "all": the policy says where it starts, and it says another place (10094)',
    quiet: having({ optStartSeq: 5, deliverPolicy: "by_start_sequence" }),
  }),
  row("S044", 'optStartTime without deliverPolicy "by_start_time"', {
    fires: having({ optStartTime: start, optStartSeq: 5, deliverPolicy: "by_start_sequence" }),
    at: place("optStartTime"),
    says: 'optStartTime with deliverPolicy "by_start_sequence": the policy says where it starts, and it says another place (10094)',
    quiet: having({ optStartTime: start, deliverPolicy: "by_start_time" }),
  }),
  row("S044", 'deliverPolicy "by_start_sequence" without optStartSeq', {
    fires: having({ deliverPolicy: "by_start_sequence" }),
    at: place("deliverPolicy"),
    says: 'deliverPolicy "by_start_sequence" without optStartSeq: nobody says where it starts (10094)',
    quiet: having({ deliverPolicy: "last" }),
  }),
  row("S044", 'deliverPolicy "by_start_time" without optStartTime', {
    fires: having({ deliverPolicy: "by_start_time" }),
    at: place("deliverPolicy"),
    says: 'deliverPolicy "by_start_time" without optStartTime: nobody says where it starts (10094)',
    quiet: having({ deliverPolicy: "new" }),
  }),
  row("S044", "optStartTime that is no point in time", {
    fires: having({ deliverPolicy: "by_start_time", optStartTime: "yesterday" }),
    at: place("optStartTime"),
    says: '"yesterday": the server reads RFC 3339, for example "2026-01-02T03:04:05Z" (10025)',
    quiet: having({ deliverPolicy: "by_start_time", optStartTime: "2024-02-29T23:59:59.999+14:00" }),
  }),
  row("S044", 'deliverPolicy "last_per_subject" without a filter', {
    fires: having({ deliverPolicy: "last_per_subject" }),
    at: place("deliverPolicy"),
    says: 'deliverPolicy "last_per_subject" without a filter: the server wants to be told that all is meant: filterSubject ">" (10094)',
    quiet: having({ deliverPolicy: "last_per_subject", filterSubject: ">" }),
  }),
  row("S045", "maxAckPending over the stream's consumerLimits", {
    fires: having({ maxAckPending: 51 }, limited),
    at: place("maxAckPending"),
    says: "51, but the stream allows 50: the stream allows no consumer more (10121)",
    quiet: having({ maxAckPending: 50 }, limited),
  }),
  row("S045", "inactiveThreshold over the stream's consumerLimits", {
    fires: having({ inactiveThreshold: "2h" }, limited),
    at: place("inactiveThreshold"),
    says: "2h, but the stream allows 1h: the stream allows no consumer longer (10153)",
    quiet: having({ inactiveThreshold: "1h" }, limited),
  }),
  row("S045", "maxExpires below 1ms", {
    fires: having({ maxExpires: "0.5ms" }),
    at: place("maxExpires"),
    says: "maxExpires below 1ms: the server takes no shorter wait (10115)",
    quiet: having({ maxExpires: "1ms" }),
  }),
  row("S045", "backoff with a step of 0s", {
    fires: having({ backoff: ["0s", "1s"] }),
    at: place("backoff"),
    says: "backoff with a step of 0s: 2.12 delivers again at once; since 2.14 a first step of 0s is never over, and the message does not come back at all",
    quiet: having({ backoff: ["1s", "1s"] }),
    becomes: { backoff: [0, 1e9] },
  }),
  row("S045", "ackWait of 0s", {
    fires: having({ ackWait: "0s" }),
    at: place("ackWait"),
    says: "ackWait of 0s: to the server that is unset, and means 30 s",
    quiet: having({ ackWait: "30s" }),
    becomes: { ack_wait: 30e9 },
  }),
  row("S045", "sampleFreq that is no share", {
    fires: having({ sampleFreq: "a third" }),
    at: place("sampleFreq"),
    says: '"a third": the server reads "30" or "30%" (10095)',
    quiet: having({ sampleFreq: "30%" }),
  }),
  row("S045", "description of more than 4 KiB", {
    fires: having({ description: text(4_097) }),
    at: place("description"),
    says: "description of more than 4 KiB: the server keeps no more (10107)",
    quiet: having({ description: text(4_096) }),
  }),
  row("S045", "metadata of more than 124 KiB", {
    fires: having({ metadata: { notes: text(128 * 1_024) } }),
    at: place("metadata"),
    says: "129 KiB: the server keeps 128 KiB, and some of it says whose the consumer is (10135)",
    quiet: having({ metadata: { notes: text(123 * 1_024) } }),
  }),
  row("S046", "fewer replicas than an interest or work-queue stream", {
    fires: having({ replicas: 1 }, { replicas: 3, retention: "interest" }),
    at: place("replicas"),
    says: '1 of 3 replicas with retention "interest": what may be deleted is known by consumers, so each must be wherever the stream is (10134)',
    quiet: having({ replicas: 1 }, { replicas: 3 }),
    servers: 3,
  }),
  row("S047", "memStorage on one server", {
    fires: having({ memStorage: true }),
    at: place("memStorage"),
    says: "memStorage on one server: it is gone after a restart, and so is what it had acknowledged",
    quiet: having({ memStorage: true }, { storage: "memory" }),
    becomes: {},
  }),
  row("S047", "inactiveThreshold, its own or the stream's", {
    fires: having({}, { consumerLimits: { inactiveThreshold: "1h" } }),
    at: place("inactiveThreshold"),
    says: "inactiveThreshold 1h: the server deletes it, and what it had acknowledged, once nobody asks for messages that long",
    quiet: having({}),
    becomes: {},
  }),
  whole("S069", "an interest stream without consumers", {
    fires: [{ ...plain, retention: "interest" }],
    at: "retention",
    says: 'is "interest" without a consumer: messages are deleted as they come',
    quiet: having({}, { retention: "interest" }),
    becomes: {},
  }),
  whole("S069", "a subject of a work queue that no consumer wants", {
    fires: [{ ...published, consumers: [{ ...worker, filterSubject: "plain.y" }] }],
    at: "publishers[0].subject",
    says: '"plain.x" is in no consumer\'s filter: messages are kept until a limit deletes them',
    quiet: [{ ...published, consumers: [{ ...worker, filterSubjects: ["plain.x", "plain.y"] }] }],
    becomes: {},
  }),
  whole("S062", "a work queue without acknowledgements", {
    fires: queue({ ackPolicy: "none" }),
    at: "consumers[0] worker-0",
    says: 'has ackPolicy "none" (10084)',
    quiet: queue({}),
  }),
  whole("S062", "a work queue that acknowledges all before", {
    fires: queue({ ackPolicy: "all" }),
    at: "consumers[0] worker-0",
    says: 'has ackPolicy "all" (10098)',
    quiet: queue({}),
  }),
  whole("S062", "a work queue that starts at its end", {
    fires: queue({ deliverPolicy: "new" }),
    at: "consumers[0] worker-0",
    says: 'has deliverPolicy "new" (10101)',
    quiet: queue({ deliverPolicy: "all" }),
  }),
  whole("S062", "a second consumer of all", {
    fires: queue({ filterSubject: "plain.x" }, {}),
    at: "consumers[1] worker-1",
    says: "wants the same messages as worker-0 (10099)",
    quiet: queue({ filterSubject: "plain.x" }, { filterSubject: "plain.y" }),
  }),
  whole("S062", "two consumers of the same", {
    fires: queue({ filterSubject: "plain.*.x" }, { filterSubject: "plain.x.*" }),
    at: "consumers[1] worker-1",
    says: "wants the same messages as worker-0 (10100)",
    quiet: queue({ filterSubject: "plain.*.x" }, { filterSubject: "plain.x" }),
  }),
];
