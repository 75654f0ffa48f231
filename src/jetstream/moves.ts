/** Subjects that go from one stream to another: the server refuses a taker (10065) until the holder has let go. */
import { collide } from "../model/subject.ts";
import type { WireConfig } from "./desired.ts";
import type { Change } from "./diff.ts";

type Written = Extract<Change, { action: "create" | "update" }>;
type Deleted = Extract<Change, { action: "delete" }>;

/** Streams among `all` that still hold, on the server, a subject that `change` takes. */
export const waitsFor = (change: Written, all: readonly Written[]): Written[] =>
  all.filter((other) => other.name !== change.name && meet(heldBy(other), subjectsOf(change.config)));

/** Whether a change gives up, or with its stream deletes, a subject that one of `streams` takes. */
export const makesWay = (change: Written | Deleted, streams: readonly Written[]): boolean =>
  streams.some((other) => other.name !== change.name && meet(heldBy(change), subjectsOf(other.config)));

/** Whether a change takes a subject that one of `givers` holds on the server. */
export const takesOver = (change: Written, givers: readonly (Written | Deleted)[]): boolean =>
  givers.some((giver) => makesWay(giver, [change]));

/** Each behind those that it waits for. Those of a circle, which no order helps, stay where they are. */
export function lettingGoFirst(changes: readonly Written[]): Written[] {
  const sorted = new Set<Written>();
  const visit = (change: Written, seen: readonly Written[]): void => {
    if (seen.includes(change)) return;
    for (const holder of waitsFor(change, changes)) visit(holder, [...seen, change]);
    sorted.add(change);
  };
  for (const change of changes) visit(change, []);
  return [...sorted];
}

/** Names of the streams that wait for `change` while it waits for them; empty where it is in no circle. */
export function circleOf(change: Written, all: readonly Written[]): string[] {
  if (heldBy(change).length === 0) return [];
  const reached = (from: Written, seen: Set<Written> = new Set()): Set<Written> => {
    for (const holder of waitsFor(from, all)) {
      if (seen.has(holder)) continue;
      seen.add(holder);
      reached(holder, seen);
    }
    return seen;
  };
  return [...reached(change)]
    .filter((other) => other.name !== change.name && [...reached(other)].some(({ name }) => name === change.name))
    .map(({ name }) => name)
    .sort();
}

/** What the stream of a change has on the server now, and may let go. */
function heldBy(change: Written | Deleted): readonly string[] {
  if (change.action === "create" || change.live.kind !== "stream") return [];
  if (change.action === "update" && !change.fields.some(({ field }) => field === "subjects")) return [];
  return subjectsOf(change.live.info.config);
}

const subjectsOf = ({ subjects }: WireConfig): readonly string[] =>
  Array.isArray(subjects) ? (subjects as readonly string[]) : [];

const meet = (some: readonly string[], others: readonly string[]): boolean =>
  some.some((subject) => others.some((other) => collide(subject, other)));
