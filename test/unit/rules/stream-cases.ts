/** For every rule about streams definitions that break it and the nearest ones that do not. */
import type { StreamInput } from "../../../src/model/stream.ts";
import { orders } from "../../support/definitions.ts";
import type { Case } from "./environment-cases.ts";

const withStream = (change: Partial<StreamInput>): { readonly streams: readonly StreamInput[] } => ({
  streams: [{ ...orders, ...change }],
});
const consumer = { name: "oms-all", service: "oms", maxDeliver: 3 } as const;
const explicit = { ...consumer, ackPolicy: "explicit" } as const;
const withConsumer = (change: object) => withStream({ consumers: [{ ...consumer, ...change }] });
const copy: StreamInput = {
  name: "copy",
  sources: [{ name: "orders", filterSubject: "orders.created" }],
  replicas: 3,
  maxBytes: "1GiB",
  maxAge: "7d",
  maxMsgSize: "1088KiB",
};
const withCopy = (change: Partial<StreamInput>, origin: Partial<StreamInput> = {}) => ({
  streams: [
    { ...orders, ...origin },
    { ...copy, ...change },
  ],
});
const elsewhere = { name: "orders", external: { api: "$JS.east.API", deliver: "east.d" } };
const dlq: StreamInput = {
  name: "dlq",
  subjects: ["dlq.>"],
  replicas: 3,
  maxBytes: "1GiB",
  maxAge: "30d",
  maxMsgSize: "1088KiB",
};
const failing = { ...orders, deadLetters: "dlq.>", consumers: [consumer] };
const rates = (loud: `${number}/s`): Partial<StreamInput> => ({
  maxMsgs: 1_000_000,
  publishers: [
    { service: "oms", subject: "orders.loud", rate: loud, size: "300B", data: { sensitivity: "internal" } },
    { service: "oms", subject: "orders.quiet", rate: "10/s", size: "300B", data: { sensitivity: "internal" } },
  ],
});
const personal = (keepAtMost: `${number}d`): Partial<StreamInput> => ({
  publishers: [
    {
      service: "oms",
      subject: "orders.created",
      data: { sensitivity: "personal", purpose: "deliver", fields: ["customerId"], keepAtMost },
    },
  ],
});

export const streamCases: Readonly<Record<string, Case>> = {
  S003: {
    fires: withStream({ consumers: [consumer, { ...consumer, filterSubject: "orders.created" }] }),
    says: 'streams/test.ts: orders.consumers[1].name "oms-all" is there twice',
    quiet: withStream({ consumers: [consumer, { ...consumer, name: "oms-created" }] }),
  },
  S004: {
    fires: withStream({ name: "KV_orders" }),
    says: 'streams/test.ts: KV_orders.name "KV_orders" has a reserved prefix',
    quiet: withStream({ name: "orders_KV" }),
  },
  S005: {
    fires: withConsumer({ service: "omz" }),
    says: 'streams/test.ts: orders.consumers[0] oms-all.service "omz" is no service',
    quiet: withConsumer({ service: "oms" }),
  },
  S006: {
    fires: withStream({ in: { stagin: { replicas: 1 } } }),
    says: "streams/test.ts: orders.in.stagin is no environment",
    quiet: withStream({ in: { staging: { replicas: 1 } } }),
  },
  S010: {
    fires: withStream({ subjects: ["orders.>", "audit.order*"] }),
    says: 'streams/test.ts: orders.subjects[1] "audit.order*" has a wildcard inside the token "order*"',
    quiet: withStream({ subjects: ["orders.>", "audit.*"] }),
  },
  S011: {
    fires: withStream({ subjects: ["orders.>", "orders.*.eu"] }),
    says: 'streams/test.ts: orders.subjects[1] "orders.*.eu" overlaps "orders.>" (10052)',
    quiet: withStream({ subjects: ["orders.>", "orders"] }),
  },
  S012: {
    fires: { streams: [orders, { ...orders, name: "created", subjects: ["*.created"], publishers: [] }] },
    says: 'streams/test.ts: created.subjects[0] "*.created" overlaps "orders.>" of orders (streams/test.ts) (10065)',
    quiet: {
      streams: [
        orders,
        { ...orders, name: "created", subjects: ["*.created.now.done", "order.created"].slice(1), publishers: [] },
      ],
    },
  },
  S013: {
    fires: withStream({ subjects: ["orders.>", "*.API.>"] }),
    says: 'streams/test.ts: orders.subjects[1] "*.API.>" reaches into $JS.> (10052)',
    quiet: withStream({ subjects: ["orders.>", "$JS.EVENT.ADVISORY.>"] }),
  },
  S014: {
    fires: withStream({ deadLetters: "dlq.orders.>" }),
    says: 'streams/test.ts: orders.deadLetters "dlq.orders.>" is captured by no stream',
    quiet: withStream({ deadLetters: "orders.dlq.>" }),
  },
  S015: {
    fires: withConsumer({ filterSubject: "order.created" }),
    says: 'streams/test.ts: orders.consumers[0] oms-all filters for "order.created", but orders holds orders.>',
    quiet: withConsumer({ filterSubject: "orders.created" }),
  },
  S020: {
    fires: withCopy({ sources: [{ name: "order" }] }),
    says: 'streams/test.ts: copy.sources[0].name "order" is no stream',
    quiet: withCopy({ sources: [{ name: "orders" }] }),
  },
  S021: {
    fires: withCopy({}, { subjects: ["orders.>"], sources: [{ name: "copy" }] }),
    says: "streams/test.ts: copy.sources leads back to the stream itself",
    quiet: withCopy({}),
  },
  S022: {
    fires: withCopy({}, { retention: "workqueue" }),
    says: 'streams/test.ts: copy.sources[0] orders has retention "workqueue"',
    quiet: withCopy({}, { retention: "limits" }),
  },
  S023: {
    fires: withCopy({ maxMsgSize: "1MiB" }),
    says: "streams/test.ts: copy.maxMsgSize is 1 MiB, but orders holds messages up to 1 MiB",
    quiet: withCopy({ maxMsgSize: "1088KiB" }),
  },
  S024: {
    fires: withCopy({ duplicateWindow: "2m" }),
    says: "streams/test.ts: copy.duplicateWindow is 2m",
    quiet: withCopy({}, { duplicateWindow: "2m" }),
  },
  S025: {
    fires: { ...withCopy({}), environment: { images: { nats: { tag: "2.12.15-alpine" } } } },
    says: "streams/test.ts: copy.sources run on 2.12.15-alpine",
    quiet: { ...withCopy({}), environment: { images: { nats: { tag: "2.14.0-alpine" } } } },
  },
  S026: {
    fires: withStream(rates("1000/s")),
    says: "streams/test.ts: orders.publishers orders.loud at 1000/s leaves orders.quiet 16m30s",
    quiet: withStream(rates("50/s")),
  },
  S027: {
    fires: withCopy({ sources: [{ name: "orders" }] }, rates("1000/s")),
    says: "streams/test.ts: copy.sources[0] orders keeps a message for 16m30s at declared rates",
    quiet: withCopy({ sources: [{ name: "orders" }] }, rates("100/s")),
  },
  S029: {
    fires: withCopy({}, { alerts: { sourceLag: 500, sourceSilence: "5m" } }),
    says: "streams/test.ts: orders.alerts.sourceSilence is 5m, but the stream has no sources and no mirror",
    quiet: {
      streams: [
        orders,
        { ...copy, alerts: { sourceLag: 500, sourceSilence: "5m" } },
        // Of another account: whether it is heard of is seen here, what it takes is not.
        { ...copy, name: "far", sources: [elsewhere], alerts: { sourceSilence: "5m" } },
      ],
    },
  },
  S075: {
    fires: withCopy({ alerts: { sourceSilence: "9s" } }),
    says: "streams/test.ts: copy.alerts.sourceSilence is 9s, less than 10s",
    quiet: withCopy({ alerts: { sourceSilence: "10s" } }),
  },
  S053: {
    fires: withCopy({
      sources: ["created", "paid"].map((event) => ({ name: "orders", filterSubject: `orders.${event}` })),
    }),
    says: 'streams/test.ts: copy.sources[1].name "orders" is the origin of sources[0] as well',
    quiet: withCopy({
      sources: [
        {
          name: "orders",
          subjectTransforms: ["orders.created", "orders.paid"].map((subject) => ({ src: subject, dest: subject })),
        },
        // Streams of other accounts may have the same name.
        ...["east", "west"].map((from) => ({ name: "orders", external: { api: `${from}.API`, deliver: `${from}.d` } })),
        { name: "orders", external: { api: "east.API", deliver: "east.e" }, filterSubject: "orders.paid" },
      ],
    }),
  },
  S030: {
    fires: { streams: [{ name: "orders", subjects: ["orders.>"] }] },
    says: "streams/test.ts: orders.maxBytes is not set",
    quiet: withStream({ maxBytes: "1MiB" }),
  },
  S031: {
    fires: withStream({ maxBytes: "37GiB" }),
    says:
      "environments/production.ts: nats.volume.size gives a file store of 40 GiB, of which streams may reserve 36 GiB, but they " +
      "reserve 37 GiB on one server (orders 37 GiB)",
    quiet: withStream({ maxBytes: "36GiB" }),
  },
  S032: {
    fires: withStream({ replicas: 5 }),
    says: "streams/test.ts: orders.replicas is 5 on 3 servers (10005)",
    quiet: { ...withStream({ replicas: 5 }), environment: { nats: { servers: 5 } } },
  },
  S033: {
    fires: withStream({ replicas: 2 }),
    says: "streams/test.ts: orders.replicas is 2",
    quiet: withStream({ replicas: 3 }),
  },
  S034: {
    fires: withStream({ ...rates("50/s"), maxMsgs: 1_000_000, maxBytes: "1GiB" }),
    says: 'streams/test.ts: orders.maxMsgs at 60/s a message lives 4h37m, not 7d: that takes maxMsgs: 36_288_000, maxBytes: "11.6GiB"',
    // The very figures that are named.
    quiet: withStream({ ...rates("50/s"), maxMsgs: 36_288_000, maxBytes: "11.6GiB" }),
  },
  S035: {
    fires: withStream({ duplicateWindow: "8d" }),
    says: "streams/test.ts: orders.duplicateWindow is 8d with maxAge 7d (10052)",
    quiet: withStream({ duplicateWindow: "7d" }),
  },
  S036: {
    fires: withStream({ maxMsgSize: "9MiB" }),
    says: "streams/test.ts: orders.maxMsgSize is 9 MiB, but nats.maxPayload is 8 MiB",
    quiet: withStream({ maxMsgSize: "8MiB" }),
  },
  S037: {
    fires: { streams: [failing, { ...dlq, maxMsgSize: "1MiB" }] },
    says: "streams/test.ts: dlq.maxMsgSize takes 1 MiB, but orders dead-letters up to 1 MiB",
    quiet: { streams: [failing, dlq] },
  },
  S038: {
    fires: { ...withStream({ allowBatched: true }), environment: { images: { nats: { tag: "2.12.15-alpine" } } } },
    says: "streams/test.ts: orders.allowBatched exists since 2.14, but the server is 2.12.15-alpine (10025)",
    quiet: withStream({ allowBatched: true }),
  },
  S040: {
    fires: withConsumer({ maxDeliver: -1 }),
    says: "streams/test.ts: orders.consumers[0] oms-all has no maxDeliver",
    quiet: withConsumer({ maxDeliver: -1, ackPolicy: "none" }),
  },
  S041: {
    fires: withConsumer({ backoff: ["1s", "2s", "4s", "8s"] }),
    says: "streams/test.ts: orders.consumers[0] oms-all has 4 backoff steps and maxDeliver 3 (10116)",
    quiet: withConsumer({ backoff: ["1s", "2s", "4s"] }),
  },
  S042: {
    fires: withConsumer({ ackWait: "30s", backoff: ["1s", "2s"] }),
    says: "streams/test.ts: orders.consumers[0] oms-all has ackWait 30s, which backoff makes 1s",
    quiet: withConsumer({ ackWait: "1s", backoff: ["1s", "2s"] }),
  },
  S043: {
    fires: withConsumer({ filterSubjects: ["orders.*", "orders.created"] }),
    says: 'streams/test.ts: orders.consumers[0] oms-all filters for "orders.*" and "orders.created", which overlap (10138)',
    quiet: withConsumer({ filterSubjects: ["orders.created", "orders.updated"] }),
  },
  S050: {
    fires: withStream({
      publishers: [{ service: "oms", subject: "orders.created", data: { sensitivity: "unstated" } }],
    }),
    says: 'streams/test.ts: orders.publishers[0].data of "orders.created" is unstated',
    quiet: withStream({}),
  },
  S060: {
    fires: withCopy({ sources: [], mirror: { name: "orders" }, subjects: ["copy.>"] }),
    says: "streams/test.ts: copy.mirror mirror with subjects: only the origin may put messages in (10034)",
    quiet: withCopy({ sources: [], mirror: { name: "orders" } }),
  },
  S061: {
    fires: withStream({ discardNewPerSubject: true, maxMsgsPerSubject: 5 }),
    says: 'streams/test.ts: orders.discardNewPerSubject is set with discard "old" and maxMsgsPerSubject 5 (10052)',
    quiet: withStream({ discardNewPerSubject: true, maxMsgsPerSubject: 5, discard: "new" }),
  },
  S062: {
    fires: withStream({ retention: "workqueue", consumers: [explicit, { ...explicit, name: "oms-more" }] }),
    says: "streams/test.ts: orders.consumers[1] oms-more wants the same messages as oms-all (10099)",
    quiet: withStream({
      retention: "workqueue",
      consumers: [
        { ...explicit, filterSubject: "orders.created" },
        { ...explicit, name: "oms-more", filterSubject: "orders.updated" },
      ],
    }),
  },
  S051: {
    fires: withCopy({}, personal("13d")),
    says: 'streams/test.ts: copy.maxAge keeps "orders.created" for 14d (orders + copy), but it may be kept for 13d',
    quiet: withCopy({}, personal("14d")),
  },
};
