/** What the declared rates mean: how much flows into a stream, and how long it therefore keeps a message. */

import { SECOND } from "../units.ts";
import type { Model } from "./resolve.ts";
import type { Stream, StreamOrigin } from "./stream.ts";
import { collide } from "./subject.ts";

/** One declared flow of messages into a stream. */
export interface Flow {
  readonly service: string;
  readonly subject: string;
  /** Messages a second at peak. */
  readonly rate: number;
  /** Bytes of one message on disk. */
  readonly messageBytes: number;
}

/** A stored message costs 30 bytes and its subject besides its payload (nats-server filestore.go, msgHdrSize + hash). */
const storedBytes = (payload: number, subject: string): number => payload + subject.length + 30;

/** Declared flows into `stream`, its own and those it copies from its origins. Flows without a rate are left out. */
export function flowsInto(stream: Stream, model: Pick<Model, "streams">, seen: readonly string[] = []): Flow[] {
  const own = stream.publishers.flatMap(({ service, subject, rate, size = 0 }) =>
    rate === undefined ? [] : [{ service, subject, rate, messageBytes: storedBytes(size, subject) }],
  );
  const copied = originsOf(stream).flatMap((from) => {
    const origin = model.streams.find((candidate) => candidate.name === from.name);
    if (!origin || seen.includes(from.name)) return [];
    return flowsInto(origin, model, [...seen, stream.name]).filter(({ subject }) => isCopied(from, subject));
  });
  return [...own, ...copied];
}

/** Whether a copy takes what its origin holds under a subject: the source of a transform is a filter. */
export function isCopied({ filterSubject, subjectTransforms = [] }: StreamOrigin, subject: string): boolean {
  const filters = filterSubject === undefined ? subjectTransforms.map(({ src }) => src) : [filterSubject];
  return filters.length === 0 || filters.some((filter) => collide(filter, subject));
}

/** Streams of this model that this one copies from. One of another account may have the name of any stream here. */
export const originsOf = (stream: Stream): readonly StreamOrigin[] =>
  (stream.mirror ? [stream.mirror] : stream.sources).filter(({ external }) => external === undefined);

/** Of all streams that this one copies from, also those of other accounts. */
export const namesOfOrigins = ({ mirror, sources }: Stream): readonly string[] => [
  ...new Set((mirror ? [mirror] : sources).map(({ name }) => name)),
];

/** How long a message lives at the declared rates, and which limit ends its life. */
export interface EffectiveRetention {
  /** Nanoseconds; Infinity where nothing ends it. */
  readonly lives: number;
  readonly endedBy: "maxAge" | "maxMsgs" | "maxBytes" | "nothing";
}

export function effectiveRetention(stream: Stream, flows: readonly Flow[]): EffectiveRetention {
  const messages = flows.reduce((sum, flow) => sum + flow.rate, 0);
  const volume = flows.reduce((sum, flow) => sum + flow.rate * flow.messageBytes, 0);
  const candidates = [
    { endedBy: "maxAge", lives: stream.maxAge > 0 ? stream.maxAge : Number.POSITIVE_INFINITY },
    { endedBy: "maxMsgs", lives: lifetime(stream.maxMsgs, messages) },
    { endedBy: "maxBytes", lives: lifetime(stream.maxBytes, volume) },
  ] as const;
  const first = candidates.reduce((shortest, next) => (next.lives < shortest.lives ? next : shortest));
  return first.lives === Number.POSITIVE_INFINITY ? { lives: first.lives, endedBy: "nothing" } : first;
}

const lifetime = (limit: number, perSecond: number): number =>
  limit < 0 || perSecond === 0 ? Number.POSITIVE_INFINITY : (limit / perSecond) * SECOND;
