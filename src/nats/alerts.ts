/** Rules about the NATS servers, their streams and consumers. Metric names are those of the exporter with `-prefix=nats` (pod.ts). */
import type { PrometheusRuleSpec, RuleGroup } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { auditAlerts } from "./audit-alerts.ts";
import { availabilityAlerts } from "./availability-alerts.ts";
import { capacityAlerts } from "./capacity-alerts.ts";
import { certificateAlerts } from "./certificate-alerts.ts";
import { consumerAlerts } from "./consumer-alerts.ts";
import { reloadAlerts, reloadRecordings } from "./reload-alerts.ts";
import { streamAlerts } from "./stream-alerts.ts";
import { measurements, thresholds } from "./stream-recordings.ts";
import { trafficAlerts } from "./traffic-alerts.ts";

export function natsAlerts(model: Model): PrometheusRuleSpec {
  const group = (name: string, rules: RuleGroup["rules"]): RuleGroup[] =>
    rules.length > 0 ? [{ name: `nats.${name}`, interval: "30s", rules }] : [];
  return {
    groups: [
      ...group("availability", availabilityAlerts(model)),
      ...group("capacity", capacityAlerts(model)),
      ...group("traffic", trafficAlerts(model)),
      ...group("certificates", certificateAlerts(model)),
      ...group("reload", [...reloadRecordings(model), ...reloadAlerts(model)]),
      ...group("audit", auditAlerts(model)),
      // Rules of one group run in order, so that alerts compare what was measured just before.
      ...group("streams", [
        ...thresholds(model),
        ...measurements(model),
        ...streamAlerts(model),
        ...consumerAlerts(model),
      ]),
    ],
  };
}
