/** Streams that delete what was consumed: what they ask of their consumers. */
import { filtersOf } from "../../model/capture.ts";
import type { Model } from "../../model/resolve.ts";
import { collide } from "../../model/subject.ts";
import { inConsumer, inStream } from "../place.ts";
import type { Rule } from "../rule.ts";
import { checkConsumers, type Row, type SeenConsumer } from "./rows.ts";

const workQueue: Rule<Model> = {
  code: "S062",
  severity: "error",
  title: "Consumers that a work queue refuses",
  reason:
    "A message of a work queue goes to one consumer and is gone when it is acknowledged: the server wants explicit acks (10098, 10084) from the " +
    "first message on (10101), and refuses a second consumer for the same subjects (10099, 10100).",
  hint: 'Let filters share nothing, ackPolicy be "explicit" and deliverPolicy "all", or give the stream retention "limits" or "interest".',
  *check({ streams }) {
    for (const stream of streams.filter(({ retention }) => retention === "workqueue")) {
      for (const [i, consumer] of stream.consumers.entries()) {
        const { ackPolicy = "none", deliverPolicy = "all", deliverSubject } = consumer;
        const place = inConsumer(stream, consumer);
        if (ackPolicy !== "explicit" && ackPolicy !== "flow_control") {
          const errCode = deliverSubject === undefined && ackPolicy === "none" ? 10084 : 10098;
          yield { place, says: `has ackPolicy "${ackPolicy}"`, errCode };
        }
        if (deliverPolicy !== "all") yield { place, says: `has deliverPolicy "${deliverPolicy}"`, errCode: 10101 };
        const filters = filtersOf(consumer);
        const rival = stream.consumers.slice(0, i).find((earlier) => {
          const theirs = filtersOf(earlier);
          return theirs.length === 0 || filters.length === 0 || theirs.some((a) => filters.some((b) => collide(a, b)));
        });
        if (rival) {
          const errCode = filters.length === 0 ? 10099 : 10100;
          yield { place, says: `wants the same messages as ${rival.name}`, errCode };
        }
      }
    }
  },
};

const REPLICA_ROWS: readonly Row<SeenConsumer>[] = [
  {
    at: "replicas",
    what: "fewer replicas than an interest or work-queue stream",
    why: "what may be deleted is known by consumers, so each must be wherever the stream is",
    errCode: 10134,
    when: ({ stream, consumer: { replicas = 0 } }) =>
      stream.retention !== "limits" &&
      replicas > 0 &&
      replicas < stream.replicas &&
      `${replicas} of ${stream.replicas} replicas with retention "${stream.retention}"`,
  },
];

const fewerReplicas: Rule<Model> = {
  code: "S046",
  severity: "error",
  title: "A consumer on fewer servers than the stream that waits for it",
  reason: "The server refuses a consumer of an interest or work-queue stream that is not on all servers of the stream.",
  hint: "Leave replicas out of the consumer: it then has as many as the stream.",
  rows: REPLICA_ROWS,
  check: (model) => checkConsumers(REPLICA_ROWS, model),
};

/** What becomes of a message that no consumer wants. */
const FATE = { interest: "deleted as they come", workqueue: "kept until a limit deletes them" } as const;

const unwanted: Rule<Model> = {
  code: "S069",
  severity: "error",
  title: "Messages that no consumer takes",
  reason:
    "An interest stream deletes what no consumer wants in the moment it is published, acknowledged to the publisher all the same; a work queue keeps it " +
    "for nobody.",
  hint: 'Declare the consumer, widen a filter, or give the stream retention "limits".',
  *check({ streams }) {
    for (const stream of streams) {
      if (stream.retention === "limits") continue;
      const fate = FATE[stream.retention];
      if (stream.consumers.length === 0) {
        yield {
          place: inStream(stream, "retention"),
          says: `is "${stream.retention}" without a consumer: messages are ${fate}`,
        };
        continue;
      }
      const filters = stream.consumers.map(filtersOf);
      if (filters.some((own) => own.length === 0)) continue;
      for (const [i, { subject }] of stream.publishers.entries()) {
        if (filters.flat().some((filter) => collide(filter, subject))) continue;
        yield {
          place: inStream(stream, `publishers[${i}].subject`),
          says: `"${subject}" is in no consumer's filter: messages are ${fate}`,
        };
      }
    }
  },
};

export const workQueueRules = [workQueue, fewerReplicas, unwanted];
