/** Memory and disk, and the job that keeps the disk from filling. */
import { TILE38 } from "../kubernetes/names.ts";
import { type Alert, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { formatBytes } from "../units.ts";
import { collectedAbove, maxMemory } from "./memory.ts";
import { oursOf } from "./series.ts";

export function capacityAlerts({ environment }: Model): Alert[] {
  const alert = withRunbooks(environment);
  const { leader, followers, shrink } = environment.tile38;
  const { namespace } = environment.kubernetes;
  const ofLeader = oursOf(environment, TILE38.leader);
  /** What is left of the heap after a collection: its lowest point. */
  const alive = (matchers: string) => `min_over_time(tile38_heap_size_bytes{${matchers}}[10m])`;
  const memoryFilling = alert({
    name: "Tile38MemoryFilling",
    expr: [
      `${alive(ofLeader)} > ${Math.floor(0.8 * collectedAbove(leader))}`,
      ...(followers.count > 0
        ? [`${alive(oursOf(environment, TILE38.followers))} > ${Math.floor(0.8 * collectedAbove(followers))}`]
        : []),
    ].join(" or "),
    for: "10m",
    severity: "warning",
    summary: "{{ $labels.pod }} holds {{ $value | humanize1024 }}B of live data",
    description:
      "Four fifths of what its memory can hold before it collects garbage all the time. Raise the memory of leader and followers alike.",
  });
  const writesRefused = alert({
    name: "Tile38WritesRefused",
    expr: `min_over_time(tile38_heap_size_bytes{${ofLeader}}[2m]) > ${maxMemory(leader)}`,
    for: "1m",
    severity: "critical",
    summary: "{{ $labels.pod }} holds {{ $value | humanize1024 }}B, more than its maxmemory, and refuses positions",
    description:
      "SET and FSET answer OOM until enough objects are deleted or expired, or the leader restarts with more memory.",
  });
  const claim = `namespace="${namespace}",persistentvolumeclaim="${TILE38.dataClaim}-${TILE38.leader}-0"`;
  const room = (below: number) =>
    `kubelet_volume_stats_available_bytes{${claim}} / kubelet_volume_stats_capacity_bytes{${claim}} < ${below}`;
  const diskFilling = alert({
    name: "Tile38VolumeFilling",
    expr: room(0.25),
    for: "10m",
    severity: "warning",
    summary: "{{ $labels.persistentvolumeclaim }} has {{ $value | humanizePercentage }} left",
    description: "A shrink needs room for a second copy of what is alive.",
  });
  const diskFull = alert({
    name: "Tile38VolumeFull",
    expr: room(0.1),
    for: "5m",
    severity: "critical",
    summary: "{{ $labels.persistentvolumeclaim }} has {{ $value | humanizePercentage }} left",
    description: "The server panics at the first write that finds no room.",
  });
  const jobs = `namespace="${namespace}",job_name=~"${TILE38.shrinkJob}-[0-9]+"`;
  // kube_job_status_failed counts pods, and a second one may still be under way (backoffLimit in aof-shrink.ts); this is the job's end.
  const lastFailure = `max by (namespace) (kube_job_status_start_time{${jobs}} and on (namespace, job_name) kube_job_failed{${jobs},condition="true"} > 0)`;
  const lastSuccess = `max by (namespace) (kube_cronjob_status_last_successful_time{namespace="${namespace}",cronjob="${TILE38.shrinkJob}"})`;
  const shrinkFailed = alert({
    name: "Tile38ShrinkFailed",
    // Failed jobs stay for their logs; the next success ends the alert. There may never have been one.
    expr: `${lastFailure} unless on (namespace) ${lastSuccess} > ${lastFailure}`,
    for: "1m",
    severity: "warning",
    summary: "The job that shrinks the append-only file failed, begun {{ $value | humanizeTimestamp }}",
    description: "The log of its pod says why; until it succeeds the file grows by every position.",
  });
  const notShrunk = alert({
    name: "Tile38FileNotShrunk",
    expr: `max by (namespace) (tile38_aof_size_bytes{${ofLeader}}) > ${shrink.above}`,
    // Longer than the pause of a daily schedule.
    for: "26h",
    severity: "warning",
    summary: `The append-only file has been above ${formatBytes(shrink.above)} for more than a day: {{ $value | humanize1024 }}B`,
    description:
      "The job does not run, or what is alive takes more than that and every run makes all followers fetch it for nothing.",
  });
  return [memoryFilling, writesRefused, diskFilling, diskFull, shrinkFailed, notShrunk];
}
