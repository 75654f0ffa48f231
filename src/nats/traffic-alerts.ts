/** What the servers see of their clients: too slow to read, or asking for what is refused. */
import { type Alert, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { ours } from "./series.ts";

export function trafficAlerts({ environment }: Model): Alert[] {
  const alert = withRunbooks(environment);
  const here = ours(environment);
  const errors = `sum by (namespace) (increase(nats_varz_jetstream_stats_api_errors{${here}}[10m]))`;
  return [
    alert({
      name: "NatsSlowConsumers",
      // Counted since the start, so only its growth says something. One alone is a client that was stopped hard.
      expr: `increase(nats_varz_slow_consumers{${here}}[10m]) > 2`,
      for: "1m",
      severity: "warning",
      summary: '{{ $labels.server_id }} cut off {{ printf "%.0f" $value }} slow clients in ten minutes',
      description:
        "A client did not read 64 MiB, or for 10 s: the server closes it, and what was sent without JetStream is lost to it.",
    }),
    alert({
      name: "NatsApiErrors",
      // Every service asks for its streams and consumers when it starts; one refusal every ten seconds is a loop.
      expr: `${errors} > 60`,
      for: "5m",
      severity: "warning",
      summary: 'JetStream refused {{ printf "%.0f" $value }} requests in ten minutes',
      description:
        "Somebody asks again and again for a stream or consumer that is not there, or creates what the server does not take.",
    }),
  ];
}
