/** Alerts on the NATS servers. Metric names are those of the exporter with `-prefix=nats` (pod.ts). */
import { NATS } from "../kubernetes/names.ts";
import type { Alert, PrometheusRuleSpec } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";

export function natsAlerts({ environment }: Model): PrometheusRuleSpec {
  const { namespace } = environment.kubernetes;
  const { servers } = environment.nats;
  const here = `namespace="${namespace}"`;
  const down: Alert = {
    alert: "NatsDown",
    // The exporter answers even when its server does not, and keeps the last nats_varz_* it saw; nats_server_* vanish.
    expr: `(count(nats_server_total_streams{${here}}) or vector(0)) < ${servers}`,
    for: "2m",
    labels: { severity: "critical" },
    annotations: {
      summary: `Only {{ $value }} of ${servers} NATS servers answer`,
      description: "Streams keep going with two of three; with one of three every replicated stream stops.",
    },
  };
  const noMetaLeader: Alert = {
    alert: "NatsNoMetaLeader",
    expr: `count(nats_server_total_streams{${here},meta_leader=""}) > 0`,
    for: "1m",
    labels: { severity: "critical" },
    annotations: {
      summary: "{{ $value }} NATS servers know no meta leader",
      description: "No stream or consumer can be created, changed or elect a leader until the meta group has one.",
    },
  };
  const claims = `${here},persistentvolumeclaim=~"${NATS.dataClaim}-${NATS.name}-[0-9]+"`;
  const volumeFilling: Alert = {
    alert: "NatsVolumeFilling",
    expr: `kubelet_volume_stats_available_bytes{${claims}} / kubelet_volume_stats_capacity_bytes{${claims}} < 0.15`,
    for: "10m",
    labels: { severity: "critical" },
    annotations: {
      summary: "{{ $labels.persistentvolumeclaim }} has {{ $value | humanizePercentage }} left",
      description:
        "A full volume makes the server switch JetStream off; real bytes include raft logs that JetStream does not count.",
    },
  };
  return {
    groups: [
      {
        name: "nats.servers",
        interval: "30s",
        rules: [down, ...(servers > 1 ? [noMetaLeader] : []), volumeFilling],
      },
    ],
  };
}
