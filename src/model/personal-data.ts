/** Where personal data ends up and how long it really lives there: captured, copied and dead-lettered. */
import type { Model } from "./resolve.ts";
import type { DataNature, Stream } from "./stream.ts";
import { collide } from "./subject.ts";
import { originsOf } from "./traffic.ts";

/** A published subject whose payloads a stream holds. */
export interface HeldData {
  readonly subject: string;
  readonly service: string;
  readonly data: DataNature;
  /** The way here: `["circl_iot", "circl_iot_location"]`. */
  readonly path: readonly string[];
  /** Nanoseconds from publish until it is surely gone from this stream: ages along the way add up. Infinity is for ever. */
  readonly lives: number;
}

/**
 * Everything that `stream` holds. A copied or dead-lettered message gets a new timestamp, so each stop adds its own
 * `max_age` to the life of the payload.
 */
export function heldData(stream: Stream, model: Pick<Model, "streams">, seen: readonly string[] = []): HeldData[] {
  if (seen.includes(stream.name)) return [];
  const age = stream.maxAge > 0 ? stream.maxAge : Number.POSITIVE_INFINITY;
  const own = stream.publishers.flatMap(({ service, subject, data }) =>
    data ? [{ service, subject, data, path: [stream.name], lives: age }] : [],
  );
  const failed = new Set(stream.publishers.flatMap(({ deadLettersOf }) => deadLettersOf ?? []));
  const arrivals = [
    ...originsOf(stream).map(({ name, filterSubject = ">" }) => ({ name, filterSubject })),
    ...[...failed].map((name) => ({ name, filterSubject: ">" })),
  ];
  const inherited = arrivals.flatMap((from) => {
    const origin = model.streams.find((candidate) => candidate.name === from.name);
    if (!origin) return [];
    return heldData(origin, model, [...seen, stream.name])
      .filter((held) => collide(from.filterSubject, held.subject))
      .map((held) => ({ ...held, path: [...held.path, stream.name], lives: held.lives + age }));
  });
  return [...own, ...inherited];
}
