import type { Construct } from "constructs";
import type { Model } from "../model/resolve.ts";
import { NatsCluster } from "../nats/cluster.ts";
import { BackboneChart } from "./backbone-chart.ts";

export function natsChart(scope: Construct, model: Model): void {
  new NatsCluster(new BackboneChart(scope, "30-nats", model), "nats", { model });
}
