/** Memory, storage, disk and connections: what runs out, while there is time to do something. */
import { NATS } from "../kubernetes/names.ts";
import { type Alert, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { formatBytes } from "../units.ts";
import { RESERVABLE } from "./budget.ts";
import { alive, ours } from "./series.ts";

export function capacityAlerts({ environment }: Model): Alert[] {
  const alert = withRunbooks(environment);
  const here = ours(environment);
  const { memory } = environment.nats;
  const claims = `namespace="${environment.kubernetes.namespace}",persistentvolumeclaim=~"${NATS.dataClaim}-${NATS.name}-[0-9]+"`;
  const share = (part: string, whole: string) => `nats_varz_${part}{${here}} / nats_varz_${whole}{${here}}`;
  return [
    alert({
      name: "NatsMemoryNearLimit",
      // Go collects garbage all the time above GOMEMLIMIT, 80 % of the limit; what is beyond that is alive.
      expr: alive(environment, `nats_varz_mem{${here}} > ${Math.floor(0.9 * memory)}`),
      for: "10m",
      severity: "critical",
      summary: `{{ $labels.server_id }} holds {{ $value | humanize1024 }}B of ${formatBytes(memory)}`,
      description:
        "The kernel kills it at its limit. Many consumers, wide subject spaces and large pending buffers take it.",
    }),
    alert({
      name: "NatsStorageFilling",
      expr: alive(environment, `${share("jetstream_stats_storage", "jetstream_config_max_storage")} > 0.8`),
      for: "10m",
      severity: "warning",
      summary: "JetStream on {{ $labels.server_id }} has filled {{ $value | humanizePercentage }} of its storage",
      description:
        "At 100 % streams without a limit of their own refuse messages (10023). Declared streams fit by rule.",
    }),
    alert({
      name: "NatsStorageReserved",
      expr: alive(
        environment,
        `${share("jetstream_stats_reserved_storage", "jetstream_config_max_storage")} > ${RESERVABLE}`,
      ),
      for: "30m",
      severity: "warning",
      summary: "Streams reserve {{ $value | humanizePercentage }} of the storage of {{ $labels.server_id }}",
      description:
        "The next stream may find no server (10047). What is declared fits by rule: somebody made streams by hand, or a volume is smaller than declared.",
    }),
    alert({
      name: "NatsVolumeFilling",
      // JetStream may take 80 % of the volume, formatting takes about 3 %: with less than 15 % left something else grows.
      expr: `kubelet_volume_stats_available_bytes{${claims}} / kubelet_volume_stats_capacity_bytes{${claims}} < 0.15`,
      for: "10m",
      severity: "critical",
      summary: "{{ $labels.persistentvolumeclaim }} has {{ $value | humanizePercentage }} left",
      description:
        "A full volume makes the server switch JetStream off; real bytes include raft logs that JetStream does not count.",
    }),
    alert({
      name: "NatsConnectionsNearLimit",
      expr: alive(environment, `${share("connections", "max_connections")} > 0.8`),
      for: "5m",
      severity: "warning",
      summary: "{{ $labels.server_id }} has taken {{ $value | humanizePercentage }} of its connections",
      description: "Beyond the limit clients are refused. Clients of a server that stops come to the others at once.",
    }),
  ];
}
