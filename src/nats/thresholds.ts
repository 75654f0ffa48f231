/** Where the alerts on streams and consumers begin: what a definition says itself, else what its declared traffic means. */
import { takes } from "../model/capture.ts";
import type { Model } from "../model/resolve.ts";
import type { Consumer, Stream, StreamOrigin } from "../model/stream.ts";
import { effectiveRetention, type Flow, flowsInto, isCopied, originsOf } from "../model/traffic.ts";
import { SECOND } from "../units.ts";

/** Dead letters are looked at by people: more than this is no longer a few bad messages (requirement of the old system). */
const DEAD_LETTERS = 100;
/** Without declared rates, and for the quietest: a backlog that a service clears within seconds of coming back. */
const FEWEST = 1_000;
/** A tenth of max_ack_pending, which the server sets to 1000 where a consumer does not (consumer.go, JsDefaultMaxAckPending). */
const REDELIVERED = 100;

/** A copy that should have had so many messages has none by no accident of who published last. */
const CHANCE = 100;

/** `for` of the alerts that must come before a stream has dropped what they are about. */
export const BEFORE_LOSS = "30s";
/** Seconds until such an alert fires once its limit is passed: `for`, a scrape every 30 s and an evaluation every 30 s. */
export const REACTION = 30 + 60;

/** Messages above which a stream holds too many dead letters; undefined for a stream that takes none. */
export const deadLettersLimit = ({ alerts, publishers }: Stream): number | undefined =>
  alerts?.deadLetters ?? (publishers.some(({ deadLettersOf }) => deadLettersOf) ? DEAD_LETTERS : undefined);

/** Messages a second above which more is published than was declared; undefined unless everything has a rate. */
export function publishRateLimit(stream: Stream, model: Model): number | undefined {
  if (stream.alerts?.publishRate !== undefined) return stream.alerts.publishRate;
  return isRated(stream, model) ? rateOf(flowsInto(stream, model)) : undefined;
}

/**
 * Messages of `origin` that may wait to be copied: what comes in a minute of peak, or in half of the time that is left when an
 * alert has to fire before the origin drops them.
 */
export const sourceLagLimit = (stream: Stream, origin: string, model: Model): number =>
  stream.alerts?.sourceLag ?? messagesOf(copied(stream, origin, model), 60);

/** What must come into an origin within ten minutes, and nothing of it into the copy, before the copy calls. */
export interface Standstill {
  readonly messages: number;
  /** Whether it copies all that comes: then it is stuck. Else those who publish the rest may be the only ones awake. */
  readonly certain: boolean;
}

/**
 * Messages that an origin takes at its declared peak in a second; more where a copy takes so little of them that it may have none by
 * chance. Undefined where ten minutes of peak bring too little to tell, or none of what is copied has a rate.
 */
export function standstillOf(stream: Stream, origin: string, model: Model): Standstill | undefined {
  const source = model.streams.find(({ name }) => name === origin);
  if (!source) return undefined;
  const all = rateOf(flowsInto(source, model));
  const { rate } = copied(stream, origin, model);
  const certain = originsOf(stream).some((from) => from.name === origin && takesAll(from));
  if (certain) return rate > 0 ? { messages: Math.ceil(all), certain } : undefined;
  return rate * 600 > CHANCE ? { messages: Math.ceil(all * Math.max(1, CHANCE / rate)), certain } : undefined;
}

const takesAll = ({ filterSubject, subjectTransforms = [] }: StreamOrigin): boolean =>
  (filterSubject === undefined || filterSubject === ">") && subjectTransforms.every(({ src }) => src === ">");

/** Seconds: origins send a heartbeat every second, and a change of leader takes several; less calls while all is well. */
export const SHORTEST_SILENCE = 10;

/** Messages that may wait for a consumer: five minutes of peak, or half of the time that is left as for a copy. */
export const pendingLimit = (consumer: Consumer, stream: Stream, model: Model): number =>
  consumer.alerts?.pending ?? messagesOf(readBy(consumer, stream, model), 300);

/** Seconds for which a copy may hear nothing of an origin: a minute, or as long as that one's short memory allows; ten at least. */
export const silenceLimit = (stream: Stream, origin: string, model: Model): number =>
  stream.alerts?.sourceSilence !== undefined
    ? stream.alerts.sourceSilence / SECOND
    : Math.max(SHORTEST_SILENCE, Math.floor(tolerated(copied(stream, origin, model).keeps, 60)));

/** Origins that drop messages before anybody can hear that they are not copied, at declared peak. */
export const originsTooShort = (model: Model): readonly string[] => [
  ...new Set(
    model.streams.flatMap((stream) =>
      originsOf(stream)
        .map(({ name }) => name)
        .filter((name) => {
          const flow = copied(stream, name, model);
          return (
            isLate(flow, sourceLagLimit(stream, name, model)) ||
            silenceLimit(stream, name, model) + REACTION >= flow.keeps
          );
        }),
    ),
  ),
];

/** Streams that drop messages before anybody can hear that one of their consumers lacks them, at declared peak. */
export const streamsTooShort = (model: Model): readonly string[] =>
  model.streams
    .filter((stream) =>
      stream.consumers.some((consumer) =>
        isLate(readBy(consumer, stream, model), pendingLimit(consumer, stream, model)),
      ),
    )
    .map(({ name }) => name);

/** Messages delivered more than once and not acknowledged yet. */
export const redeliveredLimit = ({ alerts }: Consumer): number => alerts?.redelivered ?? REDELIVERED;

/**
 * Days of their past with which the messages that a stream's consumers gave up on are compared: no longer than it keeps them at declared
 * peak, since what it has dropped would hide what comes; but a day, and no more than a week.
 */
export const rememberedDays = (stream: Stream, model: Model): number =>
  Math.min(7, Math.max(1, Math.floor(effectiveRetention(stream, flowsInto(stream, model)).lives / (86_400 * SECOND))));

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

/** What somebody reads of a stream, and for how many seconds the stream keeps it; both at declared peak. */
interface Reading {
  /** Messages a second; 0 where nobody declares any. */
  readonly rate: number;
  readonly keeps: number;
}

function copied(stream: Stream, origin: string, model: Model): Reading {
  const source = model.streams.find(({ name }) => name === origin);
  if (!source) return { rate: 0, keeps: Number.POSITIVE_INFINITY };
  const from = originsOf(stream).find(({ name }) => name === origin);
  return reading(source, model, ({ subject }) => !from || isCopied(from, subject));
}

function readBy(consumer: Consumer, stream: Stream, model: Model): Reading {
  return reading(stream, model, ({ subject }) => takes(consumer, subject));
}

function reading(stream: Stream, model: Model, isRead: (flow: Flow) => boolean): Reading {
  const flows = flowsInto(stream, model);
  return { rate: rateOf(flows.filter(isRead)), keeps: effectiveRetention(stream, flows).lives / SECOND };
}

/** Seconds of standstill that may pass: half of what the reaction leaves, or of all there is where it leaves nothing. */
const tolerated = (keeps: number, most: number): number =>
  Math.min(most, (keeps > REACTION ? keeps - REACTION : keeps) / 2);

/** FEWEST only where they come early enough. */
function messagesOf({ rate, keeps }: Reading, most: number): number {
  const messages = Math.max(1, Math.round(rate * tolerated(keeps, most)));
  return rate > 0 && FEWEST / rate + REACTION >= keeps ? messages : Math.max(FEWEST, messages);
}

const isLate = ({ rate, keeps }: Reading, limit: number): boolean => rate > 0 && limit / rate + REACTION >= keeps;
