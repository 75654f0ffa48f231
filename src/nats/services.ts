/** Services of the NATS cluster: for clients, for the servers among themselves, for Prometheus. */
import { k8s } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { selectorLabels } from "../kubernetes/labels.ts";
import { NATS, PORTS } from "../kubernetes/names.ts";
import { SERVER } from "./pod.ts";

const port = (name: string, number: number, appProtocol: string): k8s.ServicePort => ({
  name,
  port: number,
  targetPort: k8s.IntOrString.fromString(name),
  protocol: "TCP",
  appProtocol,
});

export class NatsServices extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const selector = selectorLabels(SERVER);
    new k8s.KubeService(this, "client", {
      metadata: { name: NATS.clientService, labels: { "app.kubernetes.io/name": "nats" } },
      spec: { selector, ports: [port("client", PORTS.natsClient, "tcp")] },
    });
    new k8s.KubeService(this, "headless", {
      metadata: { name: NATS.headlessService, labels: { "app.kubernetes.io/name": "nats" } },
      spec: {
        clusterIp: "None",
        // Servers must find each other before they are ready: readiness comes from the cluster they form.
        publishNotReadyAddresses: true,
        selector,
        ports: [port("client", PORTS.natsClient, "tcp"), port("route", PORTS.natsRoute, "tcp")],
      },
    });
    // Labelled apart, so that the ServiceMonitor selects this one alone and no server is scraped twice.
    new k8s.KubeService(this, "metrics", {
      metadata: {
        name: NATS.metricsService,
        labels: { "app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "metrics" },
      },
      spec: {
        clusterIp: "None",
        publishNotReadyAddresses: true,
        selector,
        ports: [port("metrics", PORTS.natsMetrics, "http")],
      },
    });
  }
}
