/** Settings of a consumer that the server refuses, alone, together or because of the stream's. */
import { isInstant } from "../../model/instant.ts";
import type { Model } from "../../model/resolve.ts";
import { formatDuration, KiB, nanoseconds } from "../../units.ts";
import type { Rule } from "../rule.ts";
import { DESCRIPTION_BYTES, METADATA_BYTES, metadataBytes } from "./limits.ts";
import { checkConsumers, type Row, type SeenConsumer } from "./rows.ts";

const START_ROWS: readonly Row<SeenConsumer>[] = [
  {
    at: "optStartSeq",
    what: 'optStartSeq without deliverPolicy "by_start_sequence"',
    why: "the policy says where it starts, and it says another place",
    errCode: 10094,
    when: ({ consumer: { optStartSeq, deliverPolicy = "all" } }) =>
      optStartSeq !== undefined &&
      deliverPolicy !== "by_start_sequence" &&
      `optStartSeq with deliverPolicy "${deliverPolicy}"`,
  },
  {
    at: "optStartTime",
    what: 'optStartTime without deliverPolicy "by_start_time"',
    why: "the policy says where it starts, and it says another place",
    errCode: 10094,
    when: ({ consumer: { optStartTime, deliverPolicy = "all" } }) =>
      optStartTime !== undefined &&
      deliverPolicy !== "by_start_time" &&
      `optStartTime with deliverPolicy "${deliverPolicy}"`,
  },
  {
    at: "deliverPolicy",
    what: 'deliverPolicy "by_start_sequence" without optStartSeq',
    why: "nobody says where it starts",
    errCode: 10094,
    when: ({ consumer: { optStartSeq, deliverPolicy } }) =>
      deliverPolicy === "by_start_sequence" && optStartSeq === undefined,
  },
  {
    at: "deliverPolicy",
    what: 'deliverPolicy "by_start_time" without optStartTime',
    why: "nobody says where it starts",
    errCode: 10094,
    when: ({ consumer: { optStartTime, deliverPolicy } }) =>
      deliverPolicy === "by_start_time" && optStartTime === undefined,
  },
  {
    at: "optStartTime",
    what: "optStartTime that is no point in time",
    why: 'the server reads RFC 3339, for example "2026-01-02T03:04:05Z"',
    errCode: 10025,
    when: ({ consumer: { optStartTime } }) =>
      optStartTime !== undefined && !isInstant(optStartTime) && `"${optStartTime}"`,
  },
  {
    at: "deliverPolicy",
    what: 'deliverPolicy "last_per_subject" without a filter',
    why: 'the server wants to be told that all is meant: filterSubject ">"',
    errCode: 10094,
    when: ({ consumer: { deliverPolicy, filterSubject, filterSubjects = [] } }) =>
      deliverPolicy === "last_per_subject" && filterSubject === undefined && filterSubjects.length === 0,
  },
];

const badStart: Rule<Model> = {
  code: "S044",
  severity: "error",
  title: "A consumer that does not know where to start",
  reason: "The server refuses a start that contradicts the deliver policy, and a policy whose start is not said.",
  hint: "Say deliverPolicy and exactly the start that it needs.",
  rows: START_ROWS,
  check: (model) => checkConsumers(START_ROWS, model),
};

const LIMIT_ROWS: readonly Row<SeenConsumer>[] = [
  {
    at: "maxAckPending",
    what: "maxAckPending over the stream's consumerLimits",
    why: "the stream allows no consumer more",
    errCode: 10121,
    when: ({ stream: { consumerLimits: { maxAckPending: most = 0 } = {} }, consumer: { maxAckPending = 0 } }) =>
      most > 0 && maxAckPending > most && `${maxAckPending}, but the stream allows ${most}`,
  },
  {
    at: "inactiveThreshold",
    what: "inactiveThreshold over the stream's consumerLimits",
    why: "the stream allows no consumer longer",
    errCode: 10153,
    when: ({ stream: { consumerLimits: { inactiveThreshold: most = 0 } = {} }, consumer: { inactiveThreshold = 0 } }) =>
      most > 0 &&
      inactiveThreshold > most &&
      `${formatDuration(inactiveThreshold)}, but the stream allows ${formatDuration(most)}`,
  },
  {
    at: "maxExpires",
    what: "maxExpires below 1ms",
    why: "the server takes no shorter wait",
    errCode: 10115,
    when: ({ consumer: { maxExpires = 0 } }) => maxExpires > 0 && maxExpires < nanoseconds("1ms"),
  },
  {
    at: "backoff",
    what: "backoff with a step of 0s",
    why: "2.12 delivers again at once; since 2.14 a first step of 0s is never over, and the message does not come back at all",
    when: ({ consumer: { backoff = [] } }) => backoff.includes(0),
  },
  {
    at: "ackWait",
    what: "ackWait of 0s",
    why: "to the server that is unset, and means 30 s",
    when: ({ consumer: { ackWait, ackPolicy = "none" } }) => ackWait === 0 && ackPolicy !== "none",
  },
  {
    at: "sampleFreq",
    what: "sampleFreq that is no share",
    why: 'the server reads "30" or "30%"',
    errCode: 10095,
    when: ({ consumer: { sampleFreq } }) =>
      sampleFreq !== undefined && !/^\d+%?$/.test(sampleFreq) && `"${sampleFreq}"`,
  },
  {
    at: "description",
    what: "description of more than 4 KiB",
    why: "the server keeps no more",
    errCode: 10107,
    when: ({ consumer: { description = "" } }) => Buffer.byteLength(description) > DESCRIPTION_BYTES,
  },
  {
    at: "metadata",
    what: "metadata of more than 124 KiB",
    why: "the server keeps 128 KiB, and some of it says whose the consumer is",
    errCode: 10135,
    when: ({ consumer: { metadata } }) =>
      metadataBytes(metadata) > METADATA_BYTES && `${Math.ceil(metadataBytes(metadata) / KiB)} KiB`,
  },
];

const overLimit: Rule<Model> = {
  code: "S045",
  severity: "error",
  title: "A consumer beyond a limit",
  reason: "The server refuses the consumer, or takes the value for another one without a word.",
  hint: "Use a value within the limit, or raise the stream's consumerLimits.",
  rows: LIMIT_ROWS,
  check: (model) => checkConsumers(LIMIT_ROWS, model),
};

const PASSING_ROWS: readonly Row<SeenConsumer>[] = [
  {
    at: "memStorage",
    what: "memStorage on one server",
    why: "it is gone after a restart, and so is what it had acknowledged",
    when: ({ stream, consumer: { memStorage, replicas = 0 } }) =>
      Boolean(memStorage) && stream.storage === "file" && (replicas || stream.replicas) === 1,
  },
  {
    at: "inactiveThreshold",
    what: "inactiveThreshold, its own or the stream's",
    why: "the server deletes it, and what it had acknowledged, once nobody asks for messages that long",
    when: ({ stream, consumer }) => {
      const threshold = consumer.inactiveThreshold || stream.consumerLimits?.inactiveThreshold || 0;
      return threshold > 0 && `inactiveThreshold ${formatDuration(threshold)}`;
    },
  },
];

const passing: Rule<Model> = {
  code: "S047",
  severity: "warning",
  title: "A durable consumer that does not last",
  reason:
    "A consumer that is made again starts where its deliver policy says: everything is delivered once more, or what came meanwhile is lost.",
  hint: "Leave it out for consumers whose position matters.",
  rows: PASSING_ROWS,
  check: (model) => checkConsumers(PASSING_ROWS, model),
};

export const consumerSettingRules = [badStart, overLimit, passing];
