/** Definitions that nobody thought of: whatever a stream file may say, as far as no rule finds an error in it. */
import fc, { type Arbitrary } from "fast-check";
import { environments } from "../../environments/index.ts";
import { defineBucket, defineObjectStore } from "../../src/model/bucket.ts";
import { type Definitions, type Model, resolveModel } from "../../src/model/resolve.ts";
import type { ConsumerInput, StreamInput } from "../../src/model/stream.ts";
import { runRules } from "../../src/rules/rule.ts";
import { streamRules } from "../../src/rules/streams/index.ts";
import { services } from "../../streams/services.ts";
import { lock } from "./definitions.ts";

/** As few fields as a person would set: one in six of these, so that most of what comes out breaks no rule. */
const sometimes = <Fields extends Record<string, Arbitrary<unknown>>>(fields: Fields) =>
  fc
    .record(
      Object.fromEntries(
        Object.entries(fields).map(([name, values]) => [
          name,
          fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: values }),
        ]),
      ),
    )
    .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)));

const of = <T>(...values: readonly T[]): Arbitrary<T> => fc.constantFrom(...values);
const flag = of(true, false);
const duration = of("1s", "90s", "2m", "36h", "7d");
const limit = of(-1, 0, 1, 7, 100_000);
const size = of("1KiB", "64KiB", "1MiB");
const metadata = fc.dictionary(of("team", "needs quotes", "ticket"), fc.string({ maxLength: 20 }), { maxKeys: 2 });
const description = fc.string({ unit: "grapheme", maxLength: 40 });
const subjectsOf = (name: string) => [`${name}.a`, `${name}.b.*`, `${name}.c.>`] as const;
const instant = of("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.100Z", "2026-01-02T05:04:05.123456789+02:00");

const figures = {
  description,
  metadata,
  discard: of("old", "new"),
  maxConsumers: of(-1, 0, 5),
  maxMsgs: limit,
  maxAge: duration,
  maxMsgSize: size,
  maxMsgsPerSubject: limit,
  duplicateWindow: duration,
  noAck: flag,
  denyDelete: flag,
  denyPurge: flag,
  allowRollupHdrs: flag,
  allowDirect: flag,
  discardNewPerSubject: flag,
  compression: of("none", "s2"),
  firstSeq: of(1, 90),
  placement: of({}, { tags: [] }),
  consumerLimits: sometimes({ inactiveThreshold: duration, maxAckPending: of(5, 2_000) }),
  allowMsgTtl: flag,
  subjectDeleteMarkerTtl: duration,
  allowMsgCounter: flag,
  allowAtomic: flag,
  allowMsgSchedules: flag,
  persistMode: of("default", "async"),
  allowBatched: flag,
};

const start = of<object>(
  {},
  { deliverPolicy: "all" },
  { deliverPolicy: "last" },
  { deliverPolicy: "new" },
  { deliverPolicy: "last_per_subject" },
  { deliverPolicy: "by_start_sequence", optStartSeq: 4 },
);
const later = instant.map((optStartTime) => ({ deliverPolicy: "by_start_time", optStartTime }));

const consumer = (name: string, stream: string): Arbitrary<ConsumerInput> => {
  const shared = sometimes({
    description,
    metadata,
    ackWait: duration,
    backoff: fc.array(duration, { maxLength: 3 }),
    replayPolicy: of("instant", "original"),
    sampleFreq: of("10", "30%"),
    maxAckPending: limit,
    headersOnly: flag,
    inactiveThreshold: duration,
    replicas: of(0, 1),
    memStorage: flag,
  });
  const pull = sometimes({ maxWaiting: of(1, 600), maxBatch: of(1, 50), maxExpires: duration, maxBytes: size });
  const push = sometimes({
    deliverGroup: of("workers"),
    idleHeartbeat: duration,
    flowControl: flag,
    rateLimitBps: of(10_000),
  }).map((more) => ({ deliverSubject: `deliver.${stream}.${name}`, ...more }));
  const filter = fc.oneof(
    fc.constant({}),
    of(...subjectsOf(stream)).map((filterSubject) => ({ filterSubject })),
    fc
      .subarray([...subjectsOf(stream)], { minLength: 1 })
      .chain((some) => fc.shuffledSubarray(some, { minLength: some.length }))
      .map((filterSubjects) => ({ filterSubjects })),
  );
  const acknowledged = fc.record({ ackPolicy: of("explicit", "explicit", "all", "none"), maxDeliver: of(-1, 4) });
  return fc
    .tuple(acknowledged, filter, fc.oneof(start, later), shared, fc.oneof(pull, push))
    .map((parts) => Object.assign({ name, service: "oms" }, ...parts) as ConsumerInput);
};

const consumers = (stream: string): Arbitrary<readonly ConsumerInput[]> =>
  fc
    .tuple(consumer("one", stream), consumer("two", stream), consumer("three", stream))
    .chain((all) => fc.subarray(all, { maxLength: 3 }));

const plain = (name: string): Arbitrary<StreamInput> =>
  fc
    .tuple(
      sometimes({
        ...figures,
        republish: of({ dest: `again.${name}.>` }, { src: `${name}.a`, dest: `again.${name}`, headersOnly: true }),
        subjectTransform: of({ src: `${name}.b.*`, dest: `${name}.b.{{wildcard(1)}}` }, { src: ">", dest: "moved.>" }),
      }),
      fc.shuffledSubarray([...subjectsOf(name)], { minLength: 1 }),
      of("limits", "limits", "interest", "workqueue"),
      of("file", "file", "memory"),
      consumers(name),
    )
    .map(([more, subjects, retention, storage, readers]) =>
      stream(name, { ...more, subjects, retention, storage, consumers: readers }),
    )
    .filter((one) => isSound([one]));

const stream = (name: string, more: object): StreamInput => ({ name, replicas: 1, maxBytes: "1MiB", ...more });

/** One that copies `from`, as a sink or as its mirror. */
const copy = (name: string, from: string): Arbitrary<StreamInput> => {
  const origin = fc
    .tuple(
      fc.oneof(
        sometimes({ filterSubject: of(...subjectsOf(from)) }),
        fc
          .shuffledSubarray([...subjectsOf(from)], { minLength: 1 })
          .map((some) => ({ subjectTransforms: some.map((src) => ({ src, dest: src })) })),
      ),
      fc.oneof(
        sometimes({ optStartSeq: of(1, 7) }),
        instant.map((optStartTime) => ({ optStartTime })),
      ),
    )
    .map(([what, since]) => ({ name: from, ...what, ...since }));
  const { firstSeq: _, subjectDeleteMarkerTtl: __, allowMsgCounter: ___, ...copied } = figures;
  return fc
    .tuple(sometimes(copied), origin, flag, sometimes({ mirrorDirect: flag }))
    .map(([more, one, mirrors, direct]) =>
      stream(name, {
        maxMsgSize: "2MiB",
        ...more,
        ...(mirrors ? { mirror: one, ...direct } : { sources: [one] }),
      }),
    );
};

const bucket = (name: string): Arbitrary<StreamInput> =>
  fc.oneof(
    sometimes({
      description,
      ttl: duration,
      compression: of("none", "s2"),
      history: of(1, 64),
      maxValueSize: size,
    }).map((more) => defineBucket({ bucket: name, maxBytes: "1MiB", ...more })),
    sometimes({ description, ttl: duration, storage: of("file", "memory") }).map((more) =>
      defineObjectStore({ bucket: name, maxBytes: "1MiB", ...more }),
    ),
  );

/** Sets of streams beside the lock in which no rule finds an error, for one server. */
export const anyDefinitions: Arbitrary<readonly StreamInput[]> = fc
  .record({ first: plain("first"), second: plain("second"), copy: copy("copy", "first"), bucket: bucket("bucket") })
  .chain(({ first, second, copy: copied, bucket: kept }) =>
    of([first], [first, second], [first, copied], [first, copied], [kept], [first, second, copied, kept]),
  )
  .filter((streams) => isSound(streams));

/** Production as far as streams are concerned, on one server of a version. @default the pinned one */
const definitionsOf = (streams: readonly StreamInput[], version?: string): Definitions => ({
  environments: {
    production: [
      ...environments.production,
      { development: true, certificates: "none", nats: { servers: 1, tls: false } },
      ...(version ? [{ images: { nats: { tag: `${version}-alpine` } } }] : []),
    ],
  },
  streams: { any: [{ ...lock, replicas: 1 }, ...streams] },
  services,
});

/** The model of a set, unless a rule finds an error in it: for a version that knows less than the pinned one they do. */
export function soundModel(streams: readonly StreamInput[], version?: string): Model | undefined {
  const { model } = resolveModel("production", definitionsOf(streams, version));
  return model && runRules(streamRules, model).every(({ severity }) => severity === "warning") ? model : undefined;
}
const isSound = (streams: readonly StreamInput[]): boolean => soundModel(streams) !== undefined;
