/** Services of Tile38: for writers, for readers, for Prometheus, and names for the pods. */
import { k8s } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { selectorLabels } from "../kubernetes/labels.ts";
import { PORTS, TILE38 } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import { FOLLOWER, LEADER, SERVER_LABELS } from "./members.ts";

const port = (name: "tile38" | "metrics", number: number, appProtocol: string): k8s.ServicePort => ({
  name,
  port: number,
  targetPort: k8s.IntOrString.fromString(name),
  protocol: "TCP",
  appProtocol,
});
const client = port("tile38", PORTS.tile38, "tcp");

/** A name for every pod, also for those that are not ready: whoever repairs a server has to reach it then. */
const headless = (selector: Record<string, string>, ports = [client]): k8s.ServiceSpec => ({
  clusterIp: "None",
  publishNotReadyAddresses: true,
  selector,
  ports,
});

export class Tile38Services extends Construct {
  constructor(scope: Construct, id: string, { model }: { readonly model: Model }) {
    super(scope, id);
    const labels = { "app.kubernetes.io/name": "tile38" };
    // Followers reach the leader through this one, too: only once it has loaded its file.
    new k8s.KubeService(this, "write", {
      metadata: { name: TILE38.writeService, labels },
      spec: { selector: selectorLabels(LEADER), ports: [client] },
    });
    new k8s.KubeService(this, "read", {
      metadata: { name: TILE38.readService, labels },
      spec: { selector: { ...SERVER_LABELS }, ports: [client] },
    });
    new k8s.KubeService(this, "leader-headless", {
      metadata: { name: TILE38.leaderHeadlessService, labels },
      spec: headless(selectorLabels(LEADER)),
    });
    if (model.environment.tile38.followers.count > 0) {
      new k8s.KubeService(this, "follower-headless", {
        metadata: { name: TILE38.followersHeadlessService, labels },
        spec: headless(selectorLabels(FOLLOWER)),
      });
    }
    // Labelled apart, so that the ServiceMonitor selects this one alone and no server is scraped twice.
    new k8s.KubeService(this, "metrics", {
      metadata: { name: TILE38.metricsService, labels: { ...labels, "app.kubernetes.io/component": "metrics" } },
      spec: headless({ ...SERVER_LABELS }, [port("metrics", PORTS.tile38Metrics, "http")]),
    });
  }
}
