/** Is there a server, and is there exactly one that takes writes? */
import { type Alert, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { ours } from "./series.ts";

export function leaderAlerts({ environment }: Model): Alert[] {
  const alert = withRunbooks(environment);
  const here = ours(environment);
  const noLeader = alert({
    name: "Tile38NoLeader",
    expr: `absent(tile38_replication_info{${here},role="leader"})`,
    // A planned restart takes about two: stop, attach the disk elsewhere, load 2 GiB of positions.
    for: "3m",
    severity: "critical",
    summary: "No Tile38 server takes writes",
    description:
      "Positions are not stored. Followers still know the last ones, but none is ready, so only clients with an open connection reach them.",
  });
  const twoLeaders = alert({
    name: "Tile38TwoLeaders",
    expr: `count by (namespace) (tile38_replication_info{${here},role="leader"}) > 1`,
    for: "1m",
    severity: "critical",
    summary: "{{ $value }} Tile38 servers take themselves for the leader",
    description:
      "A follower was promoted while the leader lives, or started without its configuration. One of the two histories will be lost.",
  });
  const down = alert({
    name: "Tile38Down",
    // The metrics port opens only once the file is loaded.
    expr: `up{${here}} == 0`,
    for: "5m",
    severity: "warning",
    summary: "{{ $labels.pod }} has not answered for 5 minutes",
    description: "It is starting, loading its file, or hung; its log says which.",
  });
  const restarting = alert({
    name: "Tile38Restarting",
    expr: `changes(tile38_start_time_seconds{${here}}[1h]) > 2`,
    for: "1m",
    severity: "warning",
    summary: "{{ $labels.pod }} restarted {{ $value }} times in an hour",
    description: "Mostly out of memory; a full disk makes the server panic, too.",
  });
  const slow = alert({
    name: "Tile38Slow",
    expr: `tile38_cmd_duration_seconds{${here},quantile="0.99",cmd=~"set|get|nearby|within|intersects|scan"} > 0.1`,
    for: "10m",
    severity: "warning",
    summary: "One in a hundred {{ $labels.cmd }} takes {{ $value | humanizeDuration }} on {{ $labels.pod }}",
    description:
      "A write waits for every read that began before it: look for large replies, then for memory near its limit.",
  });
  return [noLeader, twoLeaders, down, restarting, slow];
}
