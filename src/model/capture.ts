/** Which subjects can lie in a stream. */
import type { Model } from "./resolve.ts";
import type { Consumer, Stream } from "./stream.ts";
import { collide, covers } from "./subject.ts";

/** Patterns of what `stream` holds: its own subjects and what it copies, under the names it gives them. */
export function heldSubjects(stream: Stream, model: Pick<Model, "streams">, seen: readonly string[] = []): string[] {
  const origins = stream.mirror ? [stream.mirror] : stream.sources;
  const copied = origins.flatMap(({ name, filterSubject, subjectTransforms, external }) => {
    if (subjectTransforms?.length) return subjectTransforms.map(({ dest }) => destinationPattern(dest));
    if (filterSubject) return [filterSubject];
    // What another account holds is not said here.
    if (external) return [">"];
    const origin = model.streams.find((candidate) => candidate.name === name);
    return origin && !seen.includes(name) ? heldSubjects(origin, model, [...seen, stream.name]) : [];
  });
  const renamed = stream.subjectTransform ? [destinationPattern(stream.subjectTransform.dest)] : [];
  return [...stream.subjects, ...copied, ...renamed];
}

/** `orders.{{wildcard(1)}}` -> `orders.*`: every subject that a transform can write. Splitting and slicing write several tokens. */
export function destinationPattern(dest: string): string {
  const tokens = dest.split(".");
  const several = tokens.findIndex((token) => /^\{\{\s*(split|slice)/i.test(token));
  const kept = several < 0 ? tokens : [...tokens.slice(0, several), ">"];
  return kept.map((token) => (/^(\{\{.*\}\}|\$\d+)$/.test(token) ? "*" : token)).join(".");
}

/** What a consumer filters for; empty where it takes everything. */
export const filtersOf = ({ filterSubject, filterSubjects = [] }: Consumer): readonly string[] =>
  filterSubject ? [filterSubject] : filterSubjects;

/** Whether a consumer is given some message on `subject`. */
export const takes = (consumer: Consumer, subject: string): boolean => {
  const filters = filtersOf(consumer);
  return filters.length === 0 || filters.some((filter) => collide(filter, subject));
};

/** Whether every message on `subject` is captured by one of `patterns`. */
export const isCaptured = (subject: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => covers(pattern, subject));

/** Whether some message that one of `patterns` captures matches `filter`. */
export const canMatch = (filter: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => collide(pattern, filter));
