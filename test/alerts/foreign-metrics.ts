/** Metrics that rules and panels read of programs we do not run in tests, with the labels that the rules may use, and where they are documented. */
export const FOREIGN_METRICS: Readonly<
  Record<string, { readonly labels: readonly string[]; readonly source: string }>
> = {
  ALERTS: {
    labels: ["alertname", "alertstate", "severity", "environment"],
    source: "https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ (and the labels of our rules)",
  },
  kubelet_volume_stats_available_bytes: {
    labels: ["namespace", "persistentvolumeclaim"],
    source: "https://kubernetes.io/docs/reference/instrumentation/metrics/ (kubelet, alpha; there since 1.8)",
  },
  kubelet_volume_stats_capacity_bytes: {
    labels: ["namespace", "persistentvolumeclaim"],
    source: "https://kubernetes.io/docs/reference/instrumentation/metrics/ (kubelet, alpha; there since 1.8)",
  },
  certmanager_certificate_expiration_timestamp_seconds: {
    labels: ["name", "namespace", "exported_namespace", "issuer_name", "issuer_kind", "issuer_group"],
    source: "https://cert-manager.io/docs/devops-tips/prometheus-metrics/; cert-manager pkg/metrics/metrics.go",
  },
  externalsecret_status_condition: {
    labels: ["name", "namespace", "exported_namespace", "condition", "status"],
    source:
      "https://external-secrets.io/latest/api/metrics/; external-secrets pkg/controllers/externalsecret/esmetrics/esmetrics.go (0 on the other status)",
  },
  pushsecret_status_condition: {
    labels: ["name", "namespace", "exported_namespace", "condition", "status"],
    source:
      "https://external-secrets.io/latest/api/metrics/; external-secrets pkg/controllers/pushsecret/psmetrics/psmetrics.go (0 on the other status)",
  },
  kube_secret_metadata_resource_version: {
    labels: ["namespace", "secret"],
    source: "https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/storage/secret-metrics.md",
  },
  kube_pod_status_ready: {
    labels: ["namespace", "pod", "uid", "condition"],
    source:
      "https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/pod-metrics.md (1 for the condition that holds, 0 for the others)",
  },
  kube_job_status_start_time: {
    labels: ["namespace", "job_name"],
    source: "https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/job-metrics.md",
  },
  kube_job_failed: {
    labels: ["namespace", "job_name", "condition"],
    source:
      "https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/job-metrics.md; internal/store/job.go (only once the job has a condition Failed)",
  },
  kube_cronjob_status_last_successful_time: {
    labels: ["namespace", "cronjob"],
    source: "https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/cronjob-metrics.md",
  },
};
