/** Consumers: how often a message comes back, and what is in them. */
import type { Model } from "../../model/resolve.ts";
import type { Consumer, Stream } from "../../model/stream.ts";
import { collide, covers } from "../../model/subject.ts";
import { atLeast, parseVersion } from "../../model/version.ts";
import { formatDuration } from "../../units.ts";
import { inStream } from "../place.ts";
import type { Finding, Rule } from "../rule.ts";

/** Runs `check` on every consumer of every stream. @param errCode of what the server refuses */
function* eachConsumer(
  { streams }: Model,
  check: (consumer: Consumer, stream: Stream) => string | undefined,
  errCode?: number,
): Generator<Finding> {
  for (const stream of streams) {
    for (const [i, consumer] of stream.consumers.entries()) {
      const says = check(consumer, stream);
      if (says) {
        yield { place: inStream(stream, `consumers[${i}] ${consumer.name}`), says, ...(errCode ? { errCode } : {}) };
      }
    }
  }
}

const endlessDelivery: Rule<Model> = {
  code: "S040",
  severity: "error",
  title: "A consumer that never gives up",
  reason:
    "The server's default is to deliver for ever: one message that its reader cannot handle comes back every ackWait, and nothing is " +
    "ever dead-lettered.",
  hint: "Set maxDeliver; the house default of defineConsumer is 3.",
  check: (model) =>
    eachConsumer(model, ({ maxDeliver = -1, ackPolicy }) =>
      // Acknowledged by flow control, nothing is delivered twice.
      maxDeliver < 1 && ackPolicy !== "none" && ackPolicy !== "flow_control" ? "has no maxDeliver" : undefined,
    ),
};

const longBackoff: Rule<Model> = {
  code: "S041",
  severity: "error",
  title: "More backoff steps than deliveries",
  reason: "The server refuses the consumer (10116).",
  hint: "Use at most maxDeliver steps.",
  check: (model) =>
    eachConsumer(
      model,
      ({ backoff = [], maxDeliver = -1 }) =>
        maxDeliver > 0 && backoff.length > maxDeliver
          ? `has ${backoff.length} backoff steps and maxDeliver ${maxDeliver}`
          : undefined,
      10116,
    ),
};

const replacedAckWait: Rule<Model> = {
  code: "S042",
  severity: "error",
  title: "An ackWait that does not hold",
  reason:
    "With backoff the server silently replaces ackWait by the first step, so work that takes longer is delivered twice.",
  hint: "Leave backoff out and let the client delay its nak, or let the first step be ackWait.",
  check: (model) =>
    eachConsumer(model, ({ backoff = [], ackWait }) =>
      backoff[0] !== undefined && ackWait !== undefined && backoff[0] !== ackWait
        ? `has ackWait ${formatDuration(ackWait)}, which backoff makes ${formatDuration(backoff[0])}`
        : undefined,
    ),
};

const overlappingFilters: Rule<Model> = {
  code: "S043",
  severity: "error",
  title: "Filters that the server refuses",
  reason:
    "A consumer has either one filter or several (10137, 10136) of which none covers another (10138); before 2.12 they may share nothing at all.",
  hint: "Keep the wider filter, or list subjects that do not overlap.",
  check(model) {
    const version = parseVersion(model.environment.images.nats.tag);
    const clash = version && !atLeast(version, "2.12") ? collide : eitherCovers;
    const twice = eachConsumer(
      model,
      ({ filterSubject, filterSubjects = [] }) =>
        filterSubject && filterSubjects.length > 0 ? "has filterSubject and filterSubjects" : undefined,
      10137,
    );
    const overlapping = eachConsumer(
      model,
      ({ filterSubjects = [] }) => {
        const pairs = filterSubjects.flatMap((a, i) => filterSubjects.slice(i + 1).map((b) => [a, b] as const));
        const pair = pairs.find(([a, b]) => clash(a, b));
        return pair ? `filters for "${pair.join('" and "')}", which overlap` : undefined;
      },
      10138,
    );
    return [...twice, ...overlapping];
  },
};

const eitherCovers = (a: string, b: string): boolean => covers(a, b) || covers(b, a);

export const consumerRules = [endlessDelivery, longBackoff, replacedAckWait, overlappingFilters];
