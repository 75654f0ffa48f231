import type { Construct } from "constructs";
import { prometheusRule } from "../kubernetes/prometheus-rule.ts";
import { secretAlerts } from "../kubernetes/secret-alerts.ts";
import { serviceMonitor } from "../kubernetes/service-monitor.ts";
import type { Model } from "../model/resolve.ts";
import { natsAlerts } from "../nats/alerts.ts";
import { natsServiceMonitor } from "../nats/metrics.ts";
import { tile38Alerts } from "../tile38/alerts.ts";
import { tile38ServiceMonitor } from "../tile38/metrics.ts";
import { BackboneChart } from "./backbone-chart.ts";

/** What Prometheus scrapes and when it calls, where the Prometheus operator is there to read it. */
export function monitoringChart(scope: Construct, model: Model): void {
  const { monitoring } = model.environment;
  if (monitoring.operator !== "prometheus-operator") return;
  const chart = new BackboneChart(scope, "50-monitoring", model);
  // Prometheus takes only what carries the labels it selects by.
  const labels = { ...monitoring.selectorLabels };
  serviceMonitor(chart, "nats-monitor", { name: "nats", labels, spec: natsServiceMonitor(model) });
  serviceMonitor(chart, "tile38-monitor", { name: "tile38", labels, spec: tile38ServiceMonitor(model) });
  prometheusRule(chart, "nats-rules", { name: "nats", labels, spec: natsAlerts(model) });
  prometheusRule(chart, "tile38-rules", { name: "tile38", labels, spec: tile38Alerts(model) });
  const secrets = secretAlerts(model);
  if (secrets.groups.length > 0) prometheusRule(chart, "secret-rules", { name: "secrets", labels, spec: secrets });
}
