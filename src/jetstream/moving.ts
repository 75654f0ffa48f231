/**
 * A stream moves (placement), scales (replicas) or changes its retention one after the other: what the server refuses while
 * one of them goes on. Source: jsClusteredStreamUpdateRequest (jetstream_cluster.go) of 2.12.15, 2.14.9 and 2.15.2.
 *
 * What 10005 ("no suitable peers") depends on, the account's API does not show: how much room each server has, which servers
 * have been heard of since the meta leader started, their tags. S032 and S064 find what a definition alone makes impossible;
 * the rest is said when the server says it (connect/failure.ts).
 */
import { isDeepStrictEqual } from "node:util";
import { atLeast, type Version } from "../model/version.ts";
import type { Peer, StreamInfo } from "./api.ts";
import type { Change } from "./diff.ts";
import type { Observed } from "./observe.ts";
import { copyingInHaste } from "./order.ts";
import type { Refusal, Surroundings } from "./refusals.ts";

const AFTERWARDS = "Wait until it is done (`circl status` says so), then plan again.";

/** @returns nothing for a standalone server, where nothing moves */
export function whileMoving(change: Change, version: Version, around?: Surroundings): Refusal[] {
  if (change.action !== "update" || change.live.kind !== "stream") return [];
  return [
    ...refusedWhileMoving(change, change.live.info, version),
    ...(around ? [...besideOthers(change, around.observed), ...twoInHaste(change, around.changes)] : []),
  ];
}

type Update = Extract<Change, { action: "update" }>;

/** An apply copies between servers for one stream after the other; one that ran out of time leaves a copy that goes on. */
function besideOthers(change: Update, { streams }: Observed): Refusal[] {
  const field = copiesBy(change);
  if (field === undefined) return [];
  const busy = streams.flatMap((other) =>
    other.status === "known" && other.name !== change.name && isCopying(other.info) ? [other.name] : [],
  );
  if (busy.length === 0) return [];
  const says = `${busy.join(", ")} ${busy.length === 1 ? "is" : "are"} being copied between servers, and two at once slow each other and every client; the server would not refuse it, we do`;
  return [{ field, errCode: 0, says, hint: AFTERWARDS }];
}

const copiesBy = ({ fields }: Update): string | undefined =>
  fields.find(({ field }) => field === "num_replicas" || field === "placement")?.field;

/**
 * Since 2.15 the server says that it scales or moves a stream; before, one that moves has peers beyond its leader and its replicas. One
 * that was scaled before 2.15 shows by lag alone, as a slow disk does (seen on 2.14.9, 1 to 3 replicas): `besideBehind`.
 */
const isCopying = ({ config, cluster: { desired, replicas = [] } = {} }: StreamInfo): boolean =>
  desired !== undefined || replicas.length >= Number(config.num_replicas ?? 1);

/**
 * What to know before a scale or a move: which other streams have replicas that catch up. One that is offline gets nothing.
 * @returns undefined where there are none
 */
export function besideBehind({ name }: Change, { streams }: Observed): string | undefined {
  const behind = streams.flatMap((other) =>
    other.status === "known" && other.name !== name && !isCopying(other.info)
      ? (other.info.cluster?.replicas ?? [])
          .filter((peer) => !peer.offline && isBehind(peer))
          .map((peer) => `${howFar(peer)} in ${other.name}`)
      : [],
  );
  return behind.length === 0
    ? undefined
    : `meanwhile ${behind.join(", ")}: a slow disk, or a copy under way, and two of those slow each other and every client`;
}

/**
 * Subjects that move are captured by nobody until the last is taken, so none of those updates waits until the one before is whole;
 * nor may one of them stop there because another is being copied.
 */
function twoInHaste(change: Update, changes: readonly Change[]): Refusal[] {
  const field = copiesBy(change);
  if (field === undefined || !change.fields.some(({ field: name }) => name === "subjects")) return [];
  const hasty = copyingInHaste(changes);
  const others = hasty.filter((name) => name !== change.name);
  if (!hasty.includes(change.name) || others.length === 0) return [];
  const says = `it would be copied between servers at once with ${others.join(", ")}, since subjects that move do not wait; the server would not refuse it, we do`;
  return [{ field, errCode: 0, says, hint: "Apply the subjects alone first, then what copies." }];
}

function refusedWhileMoving(change: Update, info: StreamInfo, version: Version): Refusal[] {
  const changed = (name: string) => change.fields.some(({ field }) => field === name);
  // Taking a placement away moves nothing.
  const moves = changed("placement") && change.config.placement !== undefined;
  const staged = atLeast(version, "2.15");
  const scales = changed("num_replicas") || (staged && changed("retention"));
  const field = moves ? "placement" : changed("num_replicas") ? "num_replicas" : "retention";
  if (moves && scales) {
    const says = `a stream cannot move and change its ${changed("num_replicas") ? "replicas" : "retention"} in one update`;
    const hint = "Apply one of the two first, wait until it is done, then the other.";
    return [{ field, errCode: 10123, says, hint }];
  }
  if (isMoving(info, staged) && (moves || (staged && scales))) {
    return [
      { field, errCode: 10124, says: "the stream is being moved, and nothing else begins meanwhile", hint: AFTERWARDS },
    ];
  }
  return moves && info.cluster?.desired !== undefined
    ? [{ field, errCode: 10226, says: "the stream is being scaled, and cannot be moved meanwhile", hint: AFTERWARDS }]
    : [];
}

/** Before 2.15 a stream that moves has peers beyond its leader and its replicas; since then it says where it comes from. */
function isMoving({ config, cluster = {} }: StreamInfo, staged: boolean): boolean {
  const { desired, replicas = [] } = cluster;
  if (staged) return desired !== undefined && !isDeepStrictEqual(desired.origin?.placement, config.placement);
  return replicas.length >= Number(config.num_replicas ?? 1);
}

/**
 * Why copies may not be given up now. The server keeps the leader if it answers within a moment, and otherwise whichever comes
 * first: with one that is behind, what the others alone have is gone (jsClusteredStreamUpdateRequest; it does not look).
 */
export function losesCopies({ config, cluster = {} }: StreamInfo): Omit<Refusal, "field"> | undefined {
  const { leader, replicas = [] } = cluster;
  const missing = Number(config.num_replicas ?? 1) - 1 - replicas.length;
  const behind = replicas.filter(isBehind).map(howFar);
  const why = [
    ...(leader ? [] : ["it has no leader"]),
    ...behind,
    ...(missing > 0 ? [`${missing} of its replicas ${missing === 1 ? "is" : "are"} missing`] : []),
  ];
  return why.length === 0
    ? undefined
    : {
        errCode: 0,
        says: `copies are not given up while one of them is not whole: ${why.join(", ")}; the server would not refuse it, we do`,
        hint: `${AFTERWARDS} A server that never comes back is taken out of the cluster first: runbook NatsMetaGroupSize.`,
      };
}

const howFar = ({ name, offline, lag = 0 }: Peer): string =>
  `${name} is ${offline ? "offline" : lag > 0 ? `${lag} operations behind` : "not current"}`;

/** Operations of its log that a replica may be behind under load: a fraction of a second at our rates. */
const IN_FLIGHT = 1_000;

/** One that was not heard of for a while is not current either, and its lag is left out. */
const isBehind = ({ current = false, offline = false, lag = 0 }: Peer): boolean =>
  offline || lag > IN_FLIGHT || (!current && lag === 0);
