/** Consumers: how often a message comes back, and what is in them. */
import type { Model } from "../../model/resolve.ts";
import { collide, covers } from "../../model/subject.ts";
import { atLeast, parseVersion } from "../../model/version.ts";
import { formatDuration } from "../../units.ts";
import { inConsumer } from "../place.ts";
import type { Rule } from "../rule.ts";

const endlessDelivery: Rule<Model> = {
  code: "S040",
  severity: "error",
  title: "A consumer that never gives up",
  reason:
    "The server's default is to deliver for ever: one message that its reader cannot handle comes back every ackWait, and nothing is " +
    "ever dead-lettered.",
  hint: "Set maxDeliver; the house default of defineConsumer is 3.",
  *check({ streams }) {
    for (const stream of streams) {
      for (const consumer of stream.consumers) {
        const { maxDeliver = -1, ackPolicy } = consumer;
        // Acknowledged by flow control, nothing is delivered twice.
        if (maxDeliver < 1 && ackPolicy !== "none" && ackPolicy !== "flow_control") {
          yield { place: inConsumer(stream, consumer), says: "has no maxDeliver" };
        }
      }
    }
  },
};

const longBackoff: Rule<Model> = {
  code: "S041",
  severity: "error",
  title: "More backoff steps than deliveries",
  reason: "The server refuses the consumer (10116).",
  hint: "Use at most maxDeliver steps.",
  *check({ streams }) {
    for (const stream of streams) {
      for (const consumer of stream.consumers) {
        const { backoff = [], maxDeliver = -1 } = consumer;
        if (maxDeliver > 0 && backoff.length > maxDeliver) {
          const says = `has ${backoff.length} backoff steps and maxDeliver ${maxDeliver}`;
          yield { place: inConsumer(stream, consumer), says, errCode: 10116 };
        }
      }
    }
  },
};

const replacedAckWait: Rule<Model> = {
  code: "S042",
  severity: "error",
  title: "An ackWait that does not hold",
  reason:
    "With backoff the server silently replaces ackWait by the first step, so work that takes longer is delivered twice.",
  hint: "Leave backoff out and let the client delay its nak, or let the first step be ackWait.",
  *check({ streams }) {
    for (const stream of streams) {
      for (const consumer of stream.consumers) {
        const { backoff: [first] = [], ackWait } = consumer;
        if (first !== undefined && ackWait !== undefined && first !== ackWait) {
          const says = `has ackWait ${formatDuration(ackWait)}, which backoff makes ${formatDuration(first)}`;
          yield { place: inConsumer(stream, consumer), says };
        }
      }
    }
  },
};

const overlappingFilters: Rule<Model> = {
  code: "S043",
  severity: "error",
  title: "Filters that the server refuses",
  reason:
    "A consumer has either one filter or several (10137, 10136) of which none covers another (10138); before 2.12 they may share nothing at all.",
  hint: "Keep the wider filter, or list subjects that do not overlap.",
  *check({ streams, environment }) {
    const version = parseVersion(environment.images.nats.tag);
    const clash = version && !atLeast(version, "2.12") ? collide : eitherCovers;
    for (const stream of streams) {
      for (const consumer of stream.consumers) {
        const { filterSubject, filterSubjects = [] } = consumer;
        const place = inConsumer(stream, consumer);
        if (filterSubject && filterSubjects.length > 0) {
          yield { place, says: "has filterSubject and filterSubjects", errCode: 10137 };
        }
        const pairs = filterSubjects.flatMap((a, i) => filterSubjects.slice(i + 1).map((b) => [a, b] as const));
        const pair = pairs.find(([a, b]) => clash(a, b));
        if (pair) yield { place, says: `filters for "${pair.join('" and "')}", which overlap`, errCode: 10138 };
      }
    }
  },
};

const eitherCovers = (a: string, b: string): boolean => covers(a, b) || covers(b, a);

export const consumerRules = [endlessDelivery, longBackoff, replacedAckWait, overlappingFilters];
