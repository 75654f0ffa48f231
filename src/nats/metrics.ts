/** How Prometheus scrapes the NATS servers. */
import type { ServiceMonitorSpec } from "../kubernetes/service-monitor.ts";

export const natsServiceMonitor = (): ServiceMonitorSpec => ({
  jobLabel: "app.kubernetes.io/name",
  selector: { matchLabels: { "app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "metrics" } },
  endpoints: [{ port: "metrics", path: "/metrics", interval: "30s", scrapeTimeout: "10s" }],
  sampleLimit: 50_000,
});
