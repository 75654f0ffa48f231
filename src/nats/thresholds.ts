/** Where the alerts on streams and consumers begin: what a definition says itself, else what its declared traffic means. */
import type { Model } from "../model/resolve.ts";
import type { Consumer, Stream } from "../model/stream.ts";
import { collide } from "../model/subject.ts";
import { effectiveRetention, type Flow, flowsInto, originsOf } from "../model/traffic.ts";
import { SECOND } from "../units.ts";

/** Dead letters are looked at by people: more than this is no longer a few bad messages (requirement of the old system). */
const DEAD_LETTERS = 100;
/** Without declared rates, and for the quietest: a backlog that a service clears within seconds of coming back. */
const FEWEST = 1_000;
/** A tenth of max_ack_pending, which the server sets to 1000 where a consumer does not (consumer.go, JsDefaultMaxAckPending). */
const REDELIVERED = 100;

/** Messages above which a stream holds too many dead letters; undefined for a stream that takes none. */
export const deadLettersLimit = ({ alerts, publishers }: Stream): number | undefined =>
  alerts?.deadLetters ?? (publishers.some(({ deadLettersOf }) => deadLettersOf) ? DEAD_LETTERS : undefined);

/** Messages a second above which more is published than was declared; undefined unless everything has a rate. */
export function publishRateLimit(stream: Stream, model: Model): number | undefined {
  if (stream.alerts?.publishRate !== undefined) return stream.alerts.publishRate;
  return isRated(stream, model) ? rateOf(flowsInto(stream, model)) : undefined;
}

/**
 * Messages of `origin` that may wait to be copied: what comes in a minute of peak, or in a quarter of the time that the origin
 * keeps it, so that somebody is called while nothing is lost yet.
 */
export function sourceLagLimit(stream: Stream, origin: string, model: Model): number {
  if (stream.alerts?.sourceLag !== undefined) return stream.alerts.sourceLag;
  const source = model.streams.find(({ name }) => name === origin);
  if (!source) return FEWEST;
  const filter = originsOf(stream).find(({ name }) => name === origin)?.filterSubject;
  const flows = flowsInto(source, model);
  const copied = flows.filter(({ subject }) => !filter || collide(filter, subject));
  return messagesOf(copied, Math.min(60, keeps(source, flows) / 4));
}

/** Messages that may wait for a consumer: five minutes of peak, or half of what the stream keeps. */
export function pendingLimit({ alerts, ...consumer }: Consumer, stream: Stream, model: Model): number {
  if (alerts?.pending !== undefined) return alerts.pending;
  const flows = flowsInto(stream, model);
  const filters = consumer.filterSubject ? [consumer.filterSubject] : (consumer.filterSubjects ?? [">"]);
  const read = flows.filter(({ subject }) => filters.some((filter) => collide(filter, subject)));
  return messagesOf(read, Math.min(300, keeps(stream, flows) / 2));
}

/** Messages delivered more than once and not acknowledged yet. */
export const redeliveredLimit = ({ alerts }: Consumer): number => alerts?.redelivered ?? REDELIVERED;

/** Whether every publisher of the stream and of its origins declares a rate; without any there is nothing to compare with. */
function isRated({ publishers, ...stream }: Stream, model: Model, seen: readonly string[] = []): boolean {
  const origins = originsOf({ publishers, ...stream }).map(({ name }) => name);
  if (publishers.length + origins.length === 0) return false;
  return (
    publishers.every(({ rate }) => rate !== undefined) &&
    origins.every((name) => {
      const origin = model.streams.find((candidate) => candidate.name === name);
      return origin !== undefined && !seen.includes(name) && isRated(origin, model, [...seen, stream.name]);
    })
  );
}

const rateOf = (flows: readonly Flow[]): number => flows.reduce((sum, { rate }) => sum + rate, 0);
const messagesOf = (flows: readonly Flow[], seconds: number): number =>
  Math.max(FEWEST, Math.round(rateOf(flows) * seconds));
/** Seconds for which a message lives at declared rates. */
const keeps = (stream: Stream, flows: readonly Flow[]): number => effectiveRetention(stream, flows).lives / SECOND;
