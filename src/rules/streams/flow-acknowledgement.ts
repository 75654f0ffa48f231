/** ackPolicy "flow_control" (2.14): whoever answers the server's questions of flow control has had all that came before. */
import { newerFields } from "../../model/field-versions.ts";
import type { Model } from "../../model/resolve.ts";
import { parseVersion } from "../../model/version.ts";
import { formatDuration, SECOND } from "../../units.ts";
import type { Rule } from "../rule.ts";
import { checkConsumers, type Row, type SeenConsumer } from "./rows.ts";

const byFlow = ({ consumer, model }: SeenConsumer): boolean => consumer.ackPolicy === "flow_control" && isKnown(model);
/** The server reads a policy that it does not know as a broken request. */
const isKnown = ({ environment }: Model): boolean => {
  const version = parseVersion(environment.images.nats.tag);
  return (
    !version ||
    newerFields("consumer", (field) => (field === "ackPolicy" ? "flow_control" : undefined), version).length === 0
  );
};
const pushed = (seen: SeenConsumer): boolean => byFlow(seen) && seen.consumer.deliverSubject !== undefined;

const FLOW_ROWS: readonly Row<SeenConsumer>[] = [
  {
    at: "ackPolicy",
    what: 'ackPolicy "flow_control" before 2.14',
    why: "older servers do not know it",
    errCode: 10025,
    when: ({ consumer, model }) => consumer.ackPolicy === "flow_control" && !isKnown(model),
  },
  {
    at: "ackPolicy",
    what: 'ackPolicy "flow_control" of a pull consumer',
    why: "the server asks only whom it pushes to",
    errCode: 10218,
    when: (seen) => byFlow(seen) && seen.consumer.deliverSubject === undefined,
  },
  {
    at: "maxAckPending",
    what: 'ackPolicy "flow_control" without a limit of maxAckPending',
    why: "the server asks when so many are unanswered",
    errCode: 10220,
    when: (seen) => pushed(seen) && (seen.consumer.maxAckPending ?? 0) < 0,
  },
  {
    at: "ackWait",
    what: 'ackWait or backoff with ackPolicy "flow_control"',
    why: "nothing is delivered again after a time",
    errCode: 10221,
    when: (seen) => pushed(seen) && ((seen.consumer.ackWait ?? 0) > 0 || (seen.consumer.backoff ?? []).length > 0),
  },
  {
    at: "maxDeliver",
    what: 'maxDeliver with ackPolicy "flow_control"',
    why: "nothing is delivered again",
    errCode: 10222,
    when: (seen) => pushed(seen) && (seen.consumer.maxDeliver ?? 0) > 0,
  },
  {
    at: "idleHeartbeat",
    what: 'idleHeartbeat other than 1s with ackPolicy "flow_control"',
    why: "the server makes it 1s without a word",
    when: (seen) => {
      const { idleHeartbeat = 0 } = seen.consumer;
      return pushed(seen) && idleHeartbeat > 0 && idleHeartbeat !== SECOND && formatDuration(idleHeartbeat);
    },
  },
];

const refusedFlow: Rule<Model> = {
  code: "S052",
  severity: "error",
  title: "Acknowledgement by flow control that the server refuses",
  reason:
    "It is for consumers that are pushed to and never get a message twice: whatever says when and how often is refused.",
  hint: "Say deliverSubject and leave out ackWait, backoff and maxDeliver; or acknowledge explicitly.",
  rows: FLOW_ROWS,
  check: (model) => checkConsumers(FLOW_ROWS, model),
};

export const flowAcknowledgementRules = [refusedFlow];
