/** Rules about Tile38. Metric names are those of 1.37 (metrics.go); `job` is the name label of the metrics Service. */
import type { PrometheusRuleSpec } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { capacityAlerts } from "./capacity-alerts.ts";
import { followerAlerts, followerRecordings } from "./follower-alerts.ts";
import { leaderAlerts } from "./leader-alerts.ts";

export function tile38Alerts(model: Model): PrometheusRuleSpec {
  const interval = "30s";
  const followed = model.environment.tile38.followers.count > 0;
  return {
    groups: [
      { name: "tile38.leader", interval, rules: leaderAlerts(model) },
      ...(followed
        ? [{ name: "tile38.followers", interval, rules: [...followerRecordings(model), ...followerAlerts(model)] }]
        : []),
      { name: "tile38.capacity", interval, rules: capacityAlerts(model) },
    ],
  };
}
