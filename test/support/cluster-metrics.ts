/** Metrics of programs that no test runs, as they would be in a healthy cluster: FOREIGN_METRICS says where each is documented. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { FOREIGN_METRICS } from "../alerts/foreign-metrics.ts";

/** What these would say of a healthy cluster: one line a series. */
export function healthyCluster(namespace: string, pods: readonly string[]): string {
  const of = (name: string, labels: Record<string, string>, value: number) => {
    const metric = FOREIGN_METRICS[name];
    if (!metric) throw new Error(`${name} is not among the metrics of other programs`);
    const unknown = Object.keys(labels).filter((label) => !metric.labels.includes(label));
    if (unknown.length > 0) throw new Error(`${name} has no label ${unknown.join(", ")}`);
    const text = Object.entries({ namespace, ...labels }).map(([label, text]) => `${label}="${text}"`);
    return `${name}{${text.join(",")}} ${value}`;
  };
  const lines = pods.flatMap((pod) => {
    return [
      of("kubelet_volume_stats_available_bytes", { persistentvolumeclaim: `data-${pod}` }, 8e9),
      of("kubelet_volume_stats_capacity_bytes", { persistentvolumeclaim: `data-${pod}` }, 1e10),
    ];
  });
  for (const name of ["nats-server-tls", "nats-route-tls", "nats-ca", "nats-route-ca"]) {
    lines.push(
      of(
        "certmanager_certificate_expiration_timestamp_seconds",
        { name },
        Date.now() / 1000 + (name.endsWith("-ca") ? 3_600 : 60) * 86_400,
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Serves what `text` gives at each scrape as a page of metrics on loopback until disposal. */
export async function serveMetrics(text: () => string): Promise<{ readonly address: string } & AsyncDisposable> {
  const server = createServer((_, reply) => reply.setHeader("Content-Type", "text/plain; version=0.0.4").end(text()));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
