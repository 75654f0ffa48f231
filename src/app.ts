/** The cdk8s app of one environment. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { App, Yaml } from "cdk8s";
import { certificatesChart } from "./charts/certificates.ts";
import { clientsChart } from "./charts/clients.ts";
import { dashboardsChart } from "./charts/dashboards.ts";
import { monitoringChart } from "./charts/monitoring.ts";
import { namespaceChart } from "./charts/namespace.ts";
import { natsChart } from "./charts/nats.ts";
import { networkChart } from "./charts/network.ts";
import { secretsChart } from "./charts/secrets.ts";
import { tile38Chart } from "./charts/tile38.ts";
import type { Model } from "./model/resolve.ts";

const charts = [
  namespaceChart,
  networkChart,
  secretsChart,
  certificatesChart,
  natsChart,
  tile38Chart,
  monitoringChart,
  dashboardsChart,
  clientsChart,
];

/** Builds every chart of `model`; nothing is written before `writeApp`. Reads nothing but the model. */
export function buildApp(model: Model, outdir: string): App {
  const app = new App({ outdir });
  for (const chart of charts) chart(app, model);
  return app;
}

/** Writes one manifest file per chart, and the file by which kustomize takes the folder as a base. */
export function writeApp(app: App): void {
  mkdirSync(app.outdir, { recursive: true });
  // What `app.synth()` does, but for resolving every object once more.
  for (const chart of app.charts) Yaml.save(join(app.outdir, `${chart.node.id}.k8s.yaml`), chart.toJson());
  const resources = app.charts.map((chart) => `${chart.node.id}.k8s.yaml`).sort();
  const kustomization = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources };
  // This spelling, without an ending: kustomize finds it, `kubectl apply -f <folder>` passes it by.
  writeFileSync(join(app.outdir, "Kustomization"), Yaml.stringify(kustomization));
}
