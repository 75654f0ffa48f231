import { k8s } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { dashboards } from "../dashboards/dashboards.ts";
import { renderDashboard } from "../grafana/json.ts";
import { grafanaDashboard } from "../kubernetes/grafana-dashboard.ts";
import { dashboardConfigMap, GRAFANA_SIDECAR_LABEL } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import { BackboneChart } from "./backbone-chart.ts";

/**
 * One ConfigMap a dashboard (together they would near the 1 MiB that etcd takes), labelled for Grafana's sidecar; and what
 * the Grafana operator reads, where that is there.
 */
export function dashboardsChart(scope: Construct, model: Model): void {
  const { kubernetes, monitoring, name: environment } = model.environment;
  const { operator, folder, instanceLabels } = monitoring.grafana;
  const chart = new BackboneChart(scope, "55-dashboards", model);
  for (const dashboard of dashboards(model)) {
    const name = dashboardConfigMap(dashboard.name);
    const key = `${dashboard.name}.json`;
    new k8s.KubeConfigMap(chart, dashboard.name, {
      metadata: { name, labels: { [GRAFANA_SIDECAR_LABEL]: "1" }, annotations: { grafana_folder: folder } },
      data: { [key]: renderDashboard(dashboard, environment, kubernetes.namespace) },
    });
    if (operator !== "grafana-operator") continue;
    grafanaDashboard(chart, `${dashboard.name}-operator`, {
      name,
      spec: {
        instanceSelector: { matchLabels: instanceLabels },
        allowCrossNamespaceImport: true,
        folder,
        resyncPeriod: "10m",
        configMapRef: { name, key },
      },
    });
  }
}
