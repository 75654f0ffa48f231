/** In which order changes are applied: what moves is let go first, origins come before sinks, streams before consumers. */
import type { Change } from "./diff.ts";
import { lettingGoFirst, makesWay, takesOver } from "./moves.ts";
import type { Recreated } from "./recreate.ts";

type Written = Extract<Change, { action: "create" | "update" }>;
type Deleted = Extract<Change, { action: "delete" }>;
/** What an apply writes. */
export type Applied = Written | Deleted | Recreated;

/** Changes of one step may run side by side, unless `oneByOne`. */
export interface Step {
  readonly oneByOne: boolean;
  /** What follows waits for leaders alone, and for replicas once all such steps are done: nobody captures what moves meanwhile. */
  readonly inHaste?: true;
  readonly changes: readonly Applied[];
}

export function inOrder(changes: readonly Change[]): Step[] {
  const written = changes.filter(
    (change): change is Written => change.action === "create" || change.action === "update",
  );
  const recreated = changes.filter((change): change is Recreated => change.action === "recreate");
  const deleted = changes.filter((change): change is Deleted => change.action === "delete");
  const streams = written.filter(({ kind }) => kind === "stream");
  const released = lettingGoFirst(streams.filter((change) => makesWay(change, streams)));
  const room = deleted.filter((change) => makesWay(change, streams));
  const takes = (change: Written) => takesOver(change, [...room, ...released]);
  // One that takes a subject as well does not wait until the others are whole; two that copy are refused (twoInHaste in moving.ts).
  const heavy = streams.filter((change) => !released.includes(change) && reconfigures(change) && !takes(change));
  const light = streams.filter((change) => !released.includes(change) && !heavy.includes(change));
  const depths = new Map(light.map((change) => [change, depthOf(change, light)]));
  const levels = [...new Set(depths.values())].sort((a, b) => a - b);
  const lastTaker = Math.max(-1, ...light.filter(takes).map((change) => depths.get(change) ?? 0));
  const haste = (is: boolean) => (is ? { inHaste: true as const } : {});
  // A work queue refuses the successor of a consumer while that is there (10099).
  const replaced = deleted.filter(
    ({ kind, stream }) =>
      kind === "consumer" && written.some((change) => change.kind === "consumer" && change.stream === stream),
  );
  const last = deleted.filter((change) => !room.includes(change) && !replaced.includes(change));
  return [
    { oneByOne: true, ...haste(true), changes: [...room, ...released] },
    ...levels.map((level) => ({
      oneByOne: false,
      ...haste(level <= lastTaker),
      changes: light.filter((change) => depths.get(change) === level),
    })),
    { oneByOne: true, changes: heavy },
    { oneByOne: true, changes: replaced },
    { oneByOne: false, changes: [...written.filter(({ kind }) => kind === "consumer"), ...recreated] },
    { oneByOne: true, changes: last.toSorted((a, b) => (a.kind < b.kind ? -1 : 1)) },
  ].filter((step) => step.changes.length > 0);
}

/** Names of the updates that copy data between servers and are not waited for before what comes next. */
export const copyingInHaste = (changes: readonly Change[]): string[] =>
  inOrder(changes).flatMap((step) =>
    step.inHaste ? step.changes.flatMap((one) => (one.action === "update" && reconfigures(one) ? [one.name] : [])) : [],
  );

/** Copies data between servers; two at once slow each other and every client. */
export const reconfigures = (change: Change): boolean =>
  change.action === "update" &&
  change.kind === "stream" &&
  change.fields.some(({ field }) => field === "num_replicas" || field === "placement");

/** 0 for a stream that copies from none of `all`; one more than its deepest origin otherwise. */
function depthOf(change: Written, all: readonly Written[], seen: readonly string[] = []): number {
  if (seen.includes(change.name)) return 0;
  const { sources = [], mirror } = change.config as { sources?: { name: string }[]; mirror?: { name: string } };
  const origins = [...sources, ...(mirror ? [mirror] : [])].flatMap(({ name }) =>
    all.filter((other) => other.name === name),
  );
  return Math.max(0, ...origins.map((origin) => depthOf(origin, all, [...seen, change.name]) + 1));
}
