/** Push consumers: the server delivers to a subject, so it asks where, how fast and whether somebody listens. */
import type { Model } from "../../model/resolve.ts";
import { collide, covers, subjectFault } from "../../model/subject.ts";
import type { Rule } from "../rule.ts";
import { checkConsumers, type Row, type SeenConsumer } from "./rows.ts";

const isPush = ({ consumer }: SeenConsumer): boolean => consumer.deliverSubject !== undefined;
const isLiteral = (subject: string): boolean => !subject.split(".").some((token) => token === "*" || token === ">");

const PUSH_ROWS: readonly Row<SeenConsumer>[] = [
  {
    at: "deliverSubject",
    what: "deliverSubject with a wildcard",
    why: "a message goes to one subject",
    errCode: 10079,
    when: ({ consumer: { deliverSubject = "" } }) => !isLiteral(deliverSubject) && `"${deliverSubject}"`,
  },
  {
    at: "deliverSubject",
    what: "deliverSubject that is none",
    why: "nobody could listen there",
    errCode: 10112,
    when: ({ consumer: { deliverSubject } }) => {
      const fault =
        deliverSubject !== undefined && isLiteral(deliverSubject) ? subjectFault(deliverSubject) : undefined;
      return fault !== undefined && !fault.startsWith("has a wildcard inside") && `"${deliverSubject}" ${fault}`;
    },
  },
  {
    at: "deliverSubject",
    what: "deliverSubject that the stream captures",
    why: "what it delivers would be stored and delivered again",
    errCode: 10081,
    when: ({ stream: { subjects }, consumer: { deliverSubject } }) => {
      const own = subjects.find((subject) => deliverSubject !== undefined && covers(subject, deliverSubject));
      return own !== undefined && `"${deliverSubject}" in "${own}"`;
    },
  },
  {
    at: "deliverSubject",
    what: "deliverSubject that another stream captures",
    why: "that stream stores every delivery, and its own answer takes the place of the reader's acknowledgement",
    when: ({ stream, model, consumer: { deliverSubject } }) => {
      const other = model.streams.find(
        ({ name, subjects }) =>
          name !== stream.name &&
          subjects.some((subject) => deliverSubject !== undefined && collide(subject, deliverSubject)),
      );
      return other !== undefined && `"${deliverSubject}" is captured by ${other.name}`;
    },
  },
  {
    at: "deliverSubject",
    what: "deliverSubject of another consumer as well",
    why: "each reader gets the messages of both",
    when: ({ model, consumer }) => {
      const same = model.streams
        .flatMap(({ consumers }) => consumers)
        .find((other) => other !== consumer && other.deliverSubject === consumer.deliverSubject);
      return (
        consumer.deliverSubject !== undefined && same !== undefined && `"${consumer.deliverSubject}" of ${same.name}`
      );
    },
  },
  {
    at: "maxWaiting",
    what: "maxWaiting of a push consumer",
    why: "nobody asks for messages, so nobody waits",
    errCode: 10080,
    when: (seen) => isPush(seen) && seen.consumer.maxWaiting !== undefined,
  },
  {
    at: "deliverSubject",
    what: "maxBatch, maxExpires or maxBytes of a push consumer",
    why: "the server takes it and does nothing with it: nobody asks for a batch",
    when: (seen) => {
      const { maxBatch, maxExpires, maxBytes } = seen.consumer;
      return isPush(seen) && (maxBatch ?? maxExpires ?? maxBytes) !== undefined;
    },
  },
  {
    at: "maxAckPending",
    what: 'maxAckPending with ackPolicy "none", its own or the stream\'s',
    why: "nothing is acknowledged, so nothing is pending",
    errCode: 10082,
    when: (seen) => {
      const { maxAckPending = 0, ackPolicy = "none" } = seen.consumer;
      const most = maxAckPending === 0 ? (seen.stream.consumerLimits?.maxAckPending ?? 0) : maxAckPending;
      return isPush(seen) && ackPolicy === "none" && most > 0 && `${most} with ackPolicy "none"`;
    },
  },
  {
    at: "idleHeartbeat",
    what: "idleHeartbeat below 100ms",
    why: "the server takes no shorter one",
    errCode: 10083,
    when: (seen) => {
      const { idleHeartbeat = 0 } = seen.consumer;
      return isPush(seen) && idleHeartbeat > 0 && idleHeartbeat < 100e6 && `${idleHeartbeat / 1e6}ms`;
    },
  },
  {
    at: "flowControl",
    what: "flowControl without idleHeartbeat",
    why: "a lost question for more would stop the flow for ever",
    errCode: 10108,
    when: (seen) => {
      const { flowControl, idleHeartbeat, ackPolicy } = seen.consumer;
      // Where flow control acknowledges, the server adds the heartbeat.
      return isPush(seen) && flowControl === true && !idleHeartbeat && ackPolicy !== "flow_control";
    },
  },
  {
    at: "idleHeartbeat",
    what: "idleHeartbeat of a pull consumer",
    why: "each request says for itself",
    errCode: 10088,
    when: (seen) => !isPush(seen) && Boolean(seen.consumer.idleHeartbeat),
  },
  {
    at: "flowControl",
    what: "flowControl of a pull consumer",
    why: "its readers ask for as much as they can take",
    errCode: 10089,
    when: (seen) => !isPush(seen) && seen.consumer.flowControl === true,
  },
  {
    at: "rateLimitBps",
    what: "rateLimitBps of a pull consumer",
    why: "its readers ask for as much as they can take",
    errCode: 10086,
    when: (seen) => !isPush(seen) && Boolean(seen.consumer.rateLimitBps),
  },
  {
    at: "deliverGroup",
    what: "deliverGroup of a pull consumer",
    why: "the server takes it and does nothing with it: readers of a pull consumer share its messages anyway",
    when: (seen) => !isPush(seen) && seen.consumer.deliverGroup !== undefined,
  },
];

const refusedPush: Rule<Model> = {
  code: "S048",
  severity: "error",
  title: "Settings of push and pull that do not go together",
  reason:
    "A consumer with deliverSubject is pushed to, any other is pulled from; the server refuses what belongs to the other kind, and a place that it cannot deliver to.",
  hint: "Leave out what belongs to the other kind; deliver to a subject of its own that no stream captures.",
  rows: PUSH_ROWS,
  check: (model) => checkConsumers(PUSH_ROWS, model),
};

export const pushConsumerRules = [refusedPush];
