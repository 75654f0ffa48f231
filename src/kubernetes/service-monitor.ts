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
export const INSTANCE_IS_POD: Relabeling = {
  sourceLabels: ["__meta_kubernetes_pod_name"],
  targetLabel: "instance",
  action: "replace",
};

export const serviceMonitor = customResource<ServiceMonitorSpec>({
  apiVersion: "monitoring.coreos.com/v1",
  kind: "ServiceMonitor",
});
