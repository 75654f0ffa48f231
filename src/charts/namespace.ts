import { k8s } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { PRIORITY_CLASS } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import { BackboneChart } from "./backbone-chart.ts";

/** The namespace, which admits nothing but restricted pods, and the priority of what runs in it. */
export function namespaceChart(scope: Construct, model: Model): void {
  const chart = new BackboneChart(scope, "00-namespace", model, { clusterScoped: true });
  const { namespace, version } = model.environment.kubernetes;
  const levels = ["enforce", "audit", "warn"].flatMap((mode) => [
    [`pod-security.kubernetes.io/${mode}`, "restricted"],
    [`pod-security.kubernetes.io/${mode}-version`, `v${version}`],
  ]);
  new k8s.KubeNamespace(chart, "namespace", { metadata: { name: namespace, labels: Object.fromEntries(levels) } });
  new k8s.KubePriorityClass(chart, "priority", {
    metadata: { name: PRIORITY_CLASS },
    value: 1_000_000,
    description: "Everything else publishes to or reads from these servers, so they are scheduled first.",
  });
}
