/** ServiceMonitor (monitoring.coreos.com/v1), the fields we use. `port` is the name of the Service's port. */
import { customResource } from "./custom-resource.ts";

/** `replace` writes the first group of `regex` to `targetLabel`; an empty one removes the label. */
export interface Relabeling {
  readonly sourceLabels?: readonly string[];
  readonly regex?: string;
  readonly targetLabel?: string;
  readonly action: "keep" | "drop" | "replace" | "labeldrop";
}

export interface ServiceMonitorSpec {
  /** Label of the Service whose value becomes `job`. */
  readonly jobLabel: string;
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly endpoints: readonly {
    readonly port: string;
    readonly path: string;
    readonly interval: string;
    readonly scrapeTimeout: string;
    readonly relabelings?: readonly Relabeling[];
    readonly metricRelabelings?: readonly Relabeling[];
  }[];
  /** Scrapes with more samples fail as a whole instead of filling Prometheus. */
  readonly sampleLimit: number;
  /** The same for bytes before anything is parsed or dropped, such as "16MiB". */
  readonly bodySizeLimit: string;
}

/** The pod's name instead of its address: a StatefulSet's pod keeps the one and not the other, and so do its series. */
const INSTANCE_IS_POD: Relabeling = {
  sourceLabels: ["__meta_kubernetes_pod_name"],
  targetLabel: "instance",
  action: "replace",
};

/** How the metrics of the pods of `name` are scraped: what they are called there, and how often. */
export const metricsOf = (
  name: string,
  {
    metricRelabelings,
    ...limits
  }: Pick<ServiceMonitorSpec, "sampleLimit" | "bodySizeLimit"> & {
    readonly metricRelabelings: readonly Relabeling[];
  },
): ServiceMonitorSpec => ({
  jobLabel: "app.kubernetes.io/name",
  selector: { matchLabels: { "app.kubernetes.io/name": name, "app.kubernetes.io/component": "metrics" } },
  endpoints: [
    {
      port: "metrics",
      path: "/metrics",
      interval: "30s",
      scrapeTimeout: "10s",
      relabelings: [INSTANCE_IS_POD],
      metricRelabelings,
    },
  ],
  ...limits,
});

export const serviceMonitor = customResource<ServiceMonitorSpec>({
  apiVersion: "monitoring.coreos.com/v1",
  kind: "ServiceMonitor",
});
