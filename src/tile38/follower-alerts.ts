/** Do the followers have what the leader has? The server itself tells neither how far they lag nor that they diverged. */
import type { Alert } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { ours } from "./series.ts";

export function followerAlerts({ environment }: Model): Alert[] {
  const here = ours(environment);
  const { count } = environment.tile38.followers;
  const missing: Alert = {
    alert: "Tile38FollowersMissing",
    expr: `(count(tile38_replication_info{${here},role="follower",caught_up="true"}) or vector(0)) < ${count}`,
    for: "10m",
    labels: { severity: "warning" },
    annotations: {
      summary: `Only {{ $value }} of ${count} Tile38 followers are level with the leader`,
      description: "Reads go to the others and to the leader. A follower needs the leader to become ready again.",
    },
  };
  const flapping: Alert = {
    alert: "Tile38FollowerFlapping",
    // The series exists only while it is false: ten scrapes are five minutes of half an hour.
    expr: `sum by (namespace, pod) (count_over_time(tile38_replication_info{${here},role="follower",caught_up="false"}[30m])) > 10`,
    for: "5m",
    labels: { severity: "warning" },
    annotations: {
      summary: "{{ $labels.pod }} keeps losing its leader",
      description:
        "Channels (SETCHAN, PUBLISH) corrupt the stream to followers, and a follower with too little memory starts over and over.",
    },
  };
  // A server without any object has no series of them.
  const objects =
    `(sum by (namespace, pod) (tile38_collection_objects{${here}}) ` +
    `or sum by (namespace, pod) (0 * tile38_collections{${here}}))`;
  const diverged: Alert = {
    alert: "Tile38FollowerDiverged",
    expr: `max by (namespace) ${objects} - min by (namespace) ${objects} > 100 + 0.01 * max by (namespace) ${objects}`,
    for: "15m",
    labels: { severity: "warning" },
    annotations: {
      summary: "Tile38 servers differ by {{ $value }} objects",
      description:
        "A follower keeps objects that the leader no longer has (tidwall/tile38#688) and still counts as level: after a leader " +
        "lost its volume, or a shrink that the follower missed. Restart the followers.",
    },
  };
  const hooks = `tile38_hooks{${here}}`;
  const hooksDiverged: Alert = {
    alert: "Tile38HooksDiverged",
    expr: `max by (namespace) (${hooks}) != min by (namespace) (${hooks})`,
    for: "15m",
    labels: { severity: "warning" },
    annotations: {
      summary: "Servers differ in their number of hooks",
      description: "A follower that takes the leader's place would not send what it lacks. Restart the followers.",
    },
  };
  return [missing, flapping, diverged, hooksDiverged];
}
