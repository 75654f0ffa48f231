/** What a stream file may say. Field names are the server's (`max_msgs`) in camel case; units are spelled out. */
import * as v from "valibot";
import type { ConsumerDefinition, StreamDefinition } from "./definition.ts";
import { count, type DeepReadonly, duration, flag, list, oneOf, only, rate, size, text, texts } from "./schema.ts";

const transform = only({ src: text, dest: text });
/** -1 is the server's "no limit". */
const limit = v.union([v.literal(-1), count(0)], ({ received }) => `is ${received}, expected a whole number or -1`);

/** Another stream that this one copies from. */
const origin = only({
  name: text,
  filterSubject: v.exactOptional(text),
  subjectTransforms: v.exactOptional(list(transform)),
  optStartSeq: v.exactOptional(count(1)),
  optStartTime: v.exactOptional(text),
  external: v.exactOptional(only({ api: text, deliver: v.exactOptional(text) })),
});

/** Fields of the stream itself; every one of them may differ per environment. */
const figures = {
  subjects: v.exactOptional(list(text)),
  retention: v.exactOptional(oneOf(["limits", "interest", "workqueue"])),
  storage: v.exactOptional(oneOf(["file", "memory"])),
  /** Who gives way when a limit is reached: the oldest message or the publisher. */
  discard: v.exactOptional(oneOf(["old", "new"])),
  replicas: v.exactOptional(count(1)),
  maxConsumers: v.exactOptional(limit),
  maxMsgs: v.exactOptional(limit),
  maxBytes: v.exactOptional(size),
  maxAge: v.exactOptional(duration),
  maxMsgSize: v.exactOptional(size),
  maxMsgsPerSubject: v.exactOptional(limit),
  /** How long a Nats-Msg-Id is remembered. @default 2m, or maxAge if shorter; none for streams with sources */
  duplicateWindow: v.exactOptional(duration),
  sources: v.exactOptional(list(origin)),
  mirror: v.exactOptional(origin),
  noAck: v.exactOptional(flag),
  sealed: v.exactOptional(flag),
  denyDelete: v.exactOptional(flag),
  denyPurge: v.exactOptional(flag),
  allowRollupHdrs: v.exactOptional(flag),
  allowDirect: v.exactOptional(flag),
  mirrorDirect: v.exactOptional(flag),
  discardNewPerSubject: v.exactOptional(flag),
  compression: v.exactOptional(oneOf(["none", "s2"])),
  firstSeq: v.exactOptional(count(1)),
  placement: v.exactOptional(only({ cluster: v.exactOptional(text), tags: v.exactOptional(list(text)) })),
  republish: v.exactOptional(only({ src: v.exactOptional(text), dest: text, headersOnly: v.exactOptional(flag) })),
  subjectTransform: v.exactOptional(transform),
  consumerLimits: v.exactOptional(
    only({ inactiveThreshold: v.exactOptional(duration), maxAckPending: v.exactOptional(count(1)) }),
  ),
  allowMsgTtl: v.exactOptional(flag),
  subjectDeleteMarkerTtl: v.exactOptional(duration),
  allowMsgCounter: v.exactOptional(flag),
  allowAtomic: v.exactOptional(flag),
  allowMsgSchedules: v.exactOptional(flag),
  persistMode: v.exactOptional(oneOf(["default", "async"])),
  allowBatched: v.exactOptional(flag),
};

/** What the payloads of a subject hold. Streams that capture, copy or dead-letter it inherit this. */
const data = v.variant("sensitivity", [
  only({ sensitivity: v.literal("unstated") }),
  only({ sensitivity: v.literal("internal") }),
  only({
    sensitivity: v.literal("personal"),
    purpose: text,
    fields: list(text),
    /** Longest that a payload may live here, copies and dead letters counted. */
    keepAtMost: duration,
  }),
]);

const publisher = only({
  /** A name from `streams/services.ts`, or "nats-server" or "stream-sync" for what the server and our own tool publish. */
  service: text,
  subject: text,
  /** Peak rate and usual payload size: capacity and effective retention are computed from them. */
  rate: v.exactOptional(rate),
  size: v.exactOptional(size),
  data,
});

const consumer = only({
  /** Durable name; also its name on the server. */
  name: text,
  service: text,
  description: v.exactOptional(text),
  filterSubject: v.exactOptional(text),
  filterSubjects: v.exactOptional(list(text)),
  deliverPolicy: v.exactOptional(
    oneOf(["all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject"]),
  ),
  optStartSeq: v.exactOptional(count(1)),
  optStartTime: v.exactOptional(text),
  /** With "flow_control" (2.14) the answer to a question of flow control acknowledges all before it. */
  ackPolicy: v.exactOptional(oneOf(["explicit", "all", "none", "flow_control"])),
  ackWait: v.exactOptional(duration),
  maxDeliver: v.exactOptional(limit),
  /** Replaces ackWait; the client's own nak delay is usually what is wanted. */
  backoff: v.exactOptional(list(duration)),
  replayPolicy: v.exactOptional(oneOf(["instant", "original"])),
  sampleFreq: v.exactOptional(text),
  maxWaiting: v.exactOptional(count(1)),
  maxAckPending: v.exactOptional(limit),
  headersOnly: v.exactOptional(flag),
  maxBatch: v.exactOptional(count(1)),
  maxExpires: v.exactOptional(duration),
  maxBytes: v.exactOptional(size),
  inactiveThreshold: v.exactOptional(duration),
  /** Which requests of a group are served first: once others have enough to do, those of one client, or by their number (2.12). */
  priorityPolicy: v.exactOptional(oneOf(["overflow", "pinned_client", "prioritized"])),
  /** Groups that requests may name. */
  priorityGroups: v.exactOptional(list(text)),
  /** How long a pinned client may ask for nothing. @default 2m */
  priorityTimeout: v.exactOptional(duration),
  /** The server pushes to this subject instead of waiting to be asked. */
  deliverSubject: v.exactOptional(text),
  /** Listeners of this queue group share what is pushed. */
  deliverGroup: v.exactOptional(text),
  /** The server says that it is alive this often while there is nothing to push. */
  idleHeartbeat: v.exactOptional(duration),
  flowControl: v.exactOptional(flag),
  /** Bits a second that are pushed at most. */
  rateLimitBps: v.exactOptional(count(1)),
  /** @default as many as the stream */
  replicas: v.exactOptional(count(0)),
  memStorage: v.exactOptional(flag),
  metadata: v.exactOptional(texts),
  /** Where alerts begin, if not at what follows from declared traffic (src/nats/thresholds.ts). */
  alerts: v.exactOptional(
    only({
      /** Messages that wait for delivery. */
      pending: v.exactOptional(count(1)),
      /** Messages that were delivered more than once and are still not acknowledged. */
      redelivered: v.exactOptional(count(1)),
    }),
  ),
});

export const streamSchema = only({
  name: text,
  /** Set by defineBucket and defineObjectStore. @default a stream of its own */
  kind: v.exactOptional(oneOf(["kv", "object-store"])),
  description: v.exactOptional(text),
  ...figures,
  metadata: v.exactOptional(texts),
  /** Where whoever consumes this stream publishes what it could not handle. */
  deadLetters: v.exactOptional(text),
  publishers: v.exactOptional(list(publisher)),
  /** Services that read a bucket or an object store; its publishers do anyway. */
  readers: v.exactOptional(list(text)),
  consumers: v.exactOptional(list(consumer)),
  /** Where alerts begin, if not at what follows from declared traffic (src/nats/thresholds.ts). */
  alerts: v.exactOptional(
    only({
      /** Messages in a stream that should be empty. @default 100 for a stream that takes dead letters, else no alert */
      deadLetters: v.exactOptional(count(1)),
      /** @default the sum of what publishers declare, if each declares a rate */
      publishRate: v.exactOptional(rate),
      /** Messages of an origin that have not been copied yet. */
      sourceLag: v.exactOptional(count(1)),
      /** How long it may hear nothing of an origin: ten seconds at least (S075). */
      sourceSilence: v.exactOptional(duration),
    }),
  ),
  /** What differs per environment. */
  in: v.exactOptional(v.record(text, only(figures))),
});

export type StreamInput = Omit<DeepReadonly<v.InferInput<typeof streamSchema>>, "consumers"> & {
  readonly consumers?: readonly ConsumerInput[];
};

type AnyConsumer = DeepReadonly<v.InferInput<typeof consumer>>;
type PullField =
  | "maxWaiting"
  | "maxBatch"
  | "maxExpires"
  | "maxBytes"
  | "priorityPolicy"
  | "priorityGroups"
  | "priorityTimeout";
type PushField = "deliverSubject" | "deliverGroup" | "idleHeartbeat" | "flowControl" | "rateLimitBps";
type Never<Fields extends string> = { readonly [Field in Fields]?: never };
/** Pulled, or pushed to a subject: the settings of one mean nothing to the other, and the server refuses them (10080, 10086 to 10089, 10178). */
export type ConsumerInput =
  | (Omit<AnyConsumer, PushField> & Never<PushField>)
  | (Omit<AnyConsumer, PullField> & Never<PullField> & { readonly deliverSubject: string });
type Parsed = v.InferOutput<typeof streamSchema>;

export type StreamOrigin = v.InferOutput<typeof origin>;
export type Consumer = v.InferOutput<typeof consumer>;
export type DataNature = v.InferOutput<typeof data>;
/** Who publishes what to a stream: declared with its data, or following from the right to dead-letter another stream. */
export type Publisher = Partial<v.InferOutput<typeof publisher>> & {
  readonly service: string;
  readonly subject: string;
  /** The stream whose failures these are. */
  readonly deadLettersOf?: string;
};

/** A stream of one environment: limits in bytes, nanoseconds and messages, defaults filled in. */
export type Stream = Readonly<
  Omit<Parsed, "in" | "publishers" | "readers" | "consumers"> &
    Required<Pick<Parsed, "retention" | "storage" | "discard" | "replicas">> & {
      /** Bytes; -1 is unlimited. */
      maxBytes: number;
      /** Nanoseconds; 0 is unlimited. */
      maxAge: number;
      /** Bytes; -1 is unlimited. */
      maxMsgSize: number;
      maxMsgs: number;
      maxConsumers: number;
      subjects: readonly string[];
      sources: readonly StreamOrigin[];
      publishers: readonly Publisher[];
      readers: readonly string[];
      consumers: readonly Consumer[];
      /** Keys of `in`, whether or not they apply here. */
      overlays: readonly string[];
      /** Where it is defined, for example `streams/iot.ts`. */
      file: string;
    }
>;

/** What the server itself publishes has no service behind it. */
export const SERVER = "nats-server";
/** Our own tool, which locks while it applies. */
export const STREAM_SYNC = "stream-sync";

/** Declares a stream. The type does the checking; rules say what types cannot. */
export const defineStream = (stream: StreamDefinition): StreamInput => stream;

/**
 * A consumer with the house defaults: three deliveries, 30 s to acknowledge, no server backoff (it would replace ackWait). With
 * flow control nothing is delivered again, and the server takes neither.
 */
export const defineConsumer = (consumer: ConsumerDefinition): ConsumerDefinition =>
  consumer.ackPolicy === "flow_control"
    ? consumer
    : { ackPolicy: "explicit", ackWait: "30s", maxDeliver: 3, ...consumer };
