/**
 * The metrics of the cluster that rules and dashboards use and that no server of a test can produce: kubelet, cAdvisor,
 * kube-state-metrics and cert-manager. Each with the labels that we rely on and where they are written down.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ClusterMetric {
  readonly name: string;
  /** Labels that a matcher, a `by` or a legend of ours may name. */
  readonly labels: readonly string[];
  readonly source: string;
}

const KUBELET = "kubernetes/kubernetes pkg/kubelet/metrics/collectors/volume_stats.go";
const CADVISOR =
  "google/cadvisor metrics/prometheus.go, with kubelet's labels (pkg/kubelet/server/server.go, containerPrometheusLabelsFunc)";
const STATE = "kubernetes/kube-state-metrics docs/metrics/workload";

export const CLUSTER_METRICS: readonly ClusterMetric[] = [
  {
    name: "kubelet_volume_stats_available_bytes",
    labels: ["namespace", "persistentvolumeclaim"],
    source: KUBELET,
  },
  { name: "kubelet_volume_stats_capacity_bytes", labels: ["namespace", "persistentvolumeclaim"], source: KUBELET },
  { name: "container_memory_working_set_bytes", labels: ["namespace", "pod", "container"], source: CADVISOR },
  {
    name: "kube_pod_container_resource_limits",
    labels: ["namespace", "pod", "container", "resource", "unit", "node"],
    source: `${STATE}/pod-metrics.md`,
  },
  {
    name: "certmanager_certificate_expiration_timestamp_seconds",
    labels: ["namespace", "name", "issuer_name", "issuer_kind", "issuer_group"],
    source: "cert-manager/cert-manager pkg/metrics/certificates.go",
  },
];

/** What these would say of a healthy cluster: one line a series. */
export function healthyCluster(namespace: string, pods: readonly string[]): string {
  const of = (name: string, labels: Record<string, string>, value: number) => {
    const metric = CLUSTER_METRICS.find((known) => known.name === name);
    if (!metric) throw new Error(`${name} is not among the metrics of the cluster`);
    const unknown = Object.keys(labels).filter((label) => !metric.labels.includes(label));
    if (unknown.length > 0) throw new Error(`${name} has no label ${unknown.join(", ")}`);
    const text = Object.entries({ namespace, ...labels }).map(([label, text]) => `${label}="${text}"`);
    return `${name}{${text.join(",")}} ${value}`;
  };
  const lines = pods.flatMap((pod) => {
    const container = pod.split("-")[0] ?? pod;
    return [
      of("kubelet_volume_stats_available_bytes", { persistentvolumeclaim: `data-${pod}` }, 8e9),
      of("kubelet_volume_stats_capacity_bytes", { persistentvolumeclaim: `data-${pod}` }, 1e10),
      of("container_memory_working_set_bytes", { pod, container }, 1e8),
      of("kube_pod_container_resource_limits", { pod, container, resource: "memory", unit: "byte" }, 1e9),
    ];
  });
  for (const name of ["nats-server-tls", "nats-route-tls"]) {
    lines.push(of("certmanager_certificate_expiration_timestamp_seconds", { name }, Date.now() / 1000 + 60 * 86_400));
  }
  return `${lines.join("\n")}\n`;
}

/** Serves `text` as a page of metrics on loopback until disposal. */
export async function serveMetrics(text: string): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((_, reply) => reply.setHeader("Content-Type", "text/plain; version=0.0.4").end(text));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
