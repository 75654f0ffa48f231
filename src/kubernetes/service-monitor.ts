/** ServiceMonitor (monitoring.coreos.com/v1), the fields we use. `port` is the name of the Service's port. */
import { customResource } from "./custom-resource.ts";

export interface ServiceMonitorSpec {
  /** Label of the Service whose value becomes `job`. */
  readonly jobLabel: string;
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly endpoints: readonly {
    readonly port: string;
    readonly path: string;
    readonly interval: string;
    readonly scrapeTimeout: string;
    readonly metricRelabelings?: readonly {
      readonly sourceLabels: readonly string[];
      readonly regex: string;
      readonly action: "keep" | "drop";
    }[];
  }[];
  /** Scrapes with more samples fail as a whole instead of filling Prometheus. */
  readonly sampleLimit: number;
}

export const serviceMonitor = customResource<ServiceMonitorSpec>({
  apiVersion: "monitoring.coreos.com/v1",
  kind: "ServiceMonitor",
});
