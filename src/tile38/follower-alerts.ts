/** Do the followers have what the leader has? The server itself tells neither how far they lag nor that they diverged. */
import { TILE38 } from "../kubernetes/names.ts";
import { type Alert, type Recording, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { formatBytes } from "../units.ts";
import { ours, oursOf } from "./series.ts";

const CAUGHT_UP = "pod:tile38_replication_info:caught_up";

/** 1 while a follower is level with its leader, 0 while it is not: the server says so in a label, whose changes nothing counts. */
export function followerRecordings({ environment }: Model): Recording[] {
  const state = (caughtUp: boolean) =>
    `max by (namespace, pod) (tile38_replication_info{${ours(environment)},role="follower",caught_up="${caughtUp}"})`;
  return [{ record: CAUGHT_UP, expr: `${state(true)} or 0 * ${state(false)}` }];
}

export function followerAlerts({ environment }: Model): Alert[] {
  const alert = withRunbooks(environment);
  const here = ours(environment);
  const { count, scratch } = environment.tile38.followers;
  const missing = alert({
    name: "Tile38FollowersMissing",
    expr: `(count(tile38_replication_info{${here},role="follower",caught_up="true"}) or vector(0)) < ${count}`,
    for: "10m",
    severity: "warning",
    summary: `Only {{ $value }} of ${count} Tile38 followers are level with the leader`,
    description: "Reads go to the others and to the leader. A follower needs the leader to become ready again.",
  });
  const flapping = alert({
    name: "Tile38FollowerFlapping",
    // Each loss is two changes. An hourly shrink is one loss, so is a restart of the leader.
    expr: `changes(${CAUGHT_UP}[30m]) > 4`,
    for: "1m",
    severity: "warning",
    summary: "{{ $labels.pod }} keeps losing its leader: {{ $value }} changes in half an hour",
    description:
      "Channels (SETCHAN, PUBLISH) corrupt the stream to followers, and a follower with too little memory starts over and over.",
  });
  const objects = `tile38_collection_objects{${here}}`;
  const most = `max by (namespace, col) (${objects})`;
  // A server without the collection has no series of it: what the others have of it is the difference then.
  const everywhere = `count by (namespace, col) (${objects}) == on (namespace) group_left () count by (namespace) (tile38_collections{${here}})`;
  const difference = `(${most} - (min by (namespace, col) (${objects}) and on (namespace, col) (${everywhere})) or ${most})`;
  const diverged = alert({
    name: "Tile38FollowerDiverged",
    // By collection: totals can agree where one lost what another kept. Scrapes lie 30 s apart, hence the hundred.
    expr: `${difference} > on (namespace, col) 100 + 0.01 * ${most}`,
    for: "15m",
    severity: "warning",
    summary: "Tile38 servers differ by {{ $value }} objects in the collection {{ $labels.col }}",
    description:
      "A follower keeps objects that the leader no longer has (tidwall/tile38#688) and still counts as level: after a leader " +
      "lost its volume, or a shrink that the follower missed. Restart the followers.",
  });
  const collections = `tile38_collections{${oursOf(environment, TILE38.leader)}}`;
  const watched = `count by (namespace, pod) (${objects})`;
  const unwatched = alert({
    name: "Tile38CollectionUnwatched",
    expr: `${collections} - on (namespace, pod) (${watched} or on (namespace, pod) 0 * ${collections}) > 0`,
    for: "15m",
    severity: "warning",
    summary: "{{ $labels.pod }} has {{ $value }} collections that the environment does not name",
    description:
      "Their objects are neither counted nor compared: a follower that differs in them goes unseen. A client writes to another " +
      "collection than before, or to a new one for each of something.",
  });
  const hooks = `tile38_hooks{${here}}`;
  const hooksDiverged = alert({
    name: "Tile38HooksDiverged",
    expr: `max by (namespace) (${hooks}) != min by (namespace) (${hooks})`,
    for: "15m",
    severity: "warning",
    summary: "Tile38 servers differ in their number of hooks, the most is {{ $value }}",
    description: "A follower that takes the leader's place would not send what it lacks. Restart the followers.",
  });
  const scratchFilling = alert({
    name: "Tile38ScratchFilling",
    // A follower's file is a copy of its leader's, and its own figure is wrong once it has fetched that anew (1.37). The kubelet
    // reports no such volume as this one.
    expr: `max by (namespace) (tile38_aof_size_bytes{${oursOf(environment, TILE38.leader)}}) > ${Math.floor(0.75 * scratch)}`,
    for: "10m",
    severity: "warning",
    summary: `Each Tile38 follower keeps {{ $value | humanize1024 }}B of ${formatBytes(scratch)} that it may`,
    description:
      "Beyond that the kubelet evicts it, and it comes back to fetch the same file: no follower gets level again. The leader has more room.",
  });
  return [missing, flapping, diverged, unwatched, hooksDiverged, scratchFilling];
}
