/** The dashboard of the Tile38 servers: is there one leader, do the followers have what it has, and is it quick? */
import { chosen, type Dashboard, growth, type Panel, type Row } from "../../grafana/dashboard.ts";
import { alertsIn, limitAt, limitsOf } from "../../grafana/limit.ts";
import { TILE38 } from "../../kubernetes/names.ts";
import type { Model } from "../../model/resolve.ts";
import { tile38Alerts } from "../alerts.ts";

export const tile38Dashboard = (model: Model): Dashboard => ({
  name: "tile38",
  title: "Tile38",
  description: "Positions are missing, old or slow.",
  series: "tile38_server_info",
  variables: [],
  rows: [roles(model), commands(model), data, room(model)],
});

export const leaders = (model: Model): Panel => {
  const alerts = alertsIn(tile38Alerts(model));
  return {
    kind: "stat",
    title: "Has Tile38 exactly one leader?",
    description: "None: positions are refused. Two: one of the two histories will be lost.",
    unit: "short",
    queries: [{ expr: `count(${chosen("tile38_replication_info", 'role="leader"')}) or vector(0)`, legend: "leaders" }],
    limits: [limitAt(alerts, "Tile38NoLeader", "below", 1), ...limitsOf(alerts, "Tile38TwoLeaders")],
  };
};

export const level = (model: Model): Panel => ({
  kind: "stat",
  title: "How many Tile38 followers are level?",
  description: "They have what the leader has, and take reads.",
  unit: "short",
  queries: [
    {
      expr: `count(${chosen("tile38_replication_info", 'role="follower"', 'caught_up="true"')}) or vector(0)`,
      legend: "followers",
    },
  ],
  limits: limitsOf(alertsIn(tile38Alerts(model)), "Tile38FollowersMissing"),
});

const starts: Panel = {
  kind: "stat",
  title: "When did each server start?",
  description: "A start that nobody planned is mostly memory; a full disk makes the server panic, too.",
  unit: "dateTimeFromNow",
  queries: [{ expr: `1000 * ${chosen("tile38_start_time_seconds")}`, legend: "{{pod}}" }],
};

const roles = (model: Model): Row => ({
  title: "Are they there?",
  panels: [leaders(model), ...(model.environment.tile38.followers.count > 0 ? [level(model)] : []), starts],
});

export const commandRate: Panel = {
  kind: "series",
  title: "Which commands does Tile38 serve?",
  description: "A second, over all servers. Sets stopping is a stuck writer or a leader that refuses.",
  unit: "ops",
  queries: [{ expr: `sum by (cmd) (${growth("tile38_cmd_duration_seconds_count")})`, legend: "{{cmd}}" }],
};

const commands = (model: Model): Row => ({
  title: "Is it quick?",
  panels: [
    commandRate,
    {
      kind: "series",
      title: "How long do the slowest take?",
      description:
        "99 of 100 commands take less. A write waits for every read that began before it: look for large replies.",
      unit: "s",
      queries: [
        {
          expr: `max by (cmd, pod) (${chosen("tile38_cmd_duration_seconds", 'quantile="0.99"', 'cmd=~"set|get|nearby|within|intersects|scan"')})`,
          legend: "{{cmd}} {{pod}}",
        },
      ],
      limits: limitsOf(alertsIn(tile38Alerts(model)), "Tile38Slow"),
    },
    {
      kind: "series",
      title: "How many clients are connected?",
      description:
        "All at once gone: the password, a network policy or the Service. Steadily growing: a client that never closes.",
      unit: "short",
      queries: [{ expr: chosen("tile38_connected_clients"), legend: "{{pod}}" }],
    },
  ],
});

const data: Row = {
  title: "Do all have the same?",
  panels: [
    {
      kind: "series",
      title: "How many objects has each server?",
      description:
        "By collection that the environment names. Lines that part stay parted: a follower keeps what the leader no longer has. Restart the follower.",
      unit: "short",
      queries: [{ expr: `sum by (col, pod) (${chosen("tile38_collection_objects")})`, legend: "{{col}} {{pod}}" }],
    },
    {
      kind: "series",
      title: "How many hooks has each server?",
      description: "Geofences, channels included. A follower with fewer would not send them once it leads.",
      unit: "short",
      queries: [{ expr: chosen("tile38_hooks"), legend: "{{pod}}" }],
    },
    {
      kind: "series",
      title: "How many geofence messages go out?",
      description:
        "A second, to hooks and subscribers. Nothing while positions arrive: the hooks, or what they send to.",
      unit: "cps",
      queries: [{ expr: growth("tile38_messages_sent_total"), legend: "{{pod}}" }],
    },
  ],
};

const CLAIM = `persistentvolumeclaim="${TILE38.dataClaim}-${TILE38.leader}-0"`;

const room = (model: Model): Row => {
  const alerts = alertsIn(tile38Alerts(model));
  return {
    title: "Is there room?",
    panels: [
      {
        kind: "series",
        title: "How much heap is alive?",
        description: "After collections. Above maxmemory the leader refuses every position.",
        unit: "bytes",
        queries: [{ expr: `min_over_time(${chosen("tile38_heap_size_bytes")}[10m])`, legend: "{{pod}}" }],
        limits: limitsOf(alerts, "Tile38MemoryFilling", "Tile38WritesRefused"),
      },
      {
        kind: "series",
        title: "How large is the append-only file?",
        description:
          "The leader's, shrunk by a job. Above the first line for a day: the job does not run, or what is alive takes that much. Followers keep a copy, and are evicted when it outgrows their scratch.",
        unit: "bytes",
        queries: [
          { expr: `max(${chosen("tile38_aof_size_bytes", `pod=~"${TILE38.leader}-[0-9]+"`)})`, legend: "leader" },
        ],
        limits: limitsOf(
          alerts,
          "Tile38FileNotShrunk",
          ...(model.environment.tile38.followers.count > 0 ? ["Tile38ScratchFilling"] : []),
        ),
      },
      {
        kind: "series",
        title: "How much of the leader's volume is left?",
        description: "A shrink needs room for a second copy of what is alive. A full disk makes the server panic.",
        unit: "percentunit",
        queries: [
          {
            expr: `${chosen("kubelet_volume_stats_available_bytes", CLAIM)} / ${chosen("kubelet_volume_stats_capacity_bytes", CLAIM)}`,
            legend: "{{persistentvolumeclaim}}",
          },
        ],
        limits: limitsOf(alerts, "Tile38VolumeFilling", "Tile38VolumeFull"),
      },
    ],
  };
};
