/** What to do with objects of ours that dist no longer has. */
import type { KubeObject } from "./object.ts";

/** Kinds that hold nothing: made again from dist, they are as they were. */
const HARMLESS = [
  "ConfigMap",
  "Service",
  "NetworkPolicy",
  "PodDisruptionBudget",
  "ServiceAccount",
  "ServiceMonitor",
  "PrometheusRule",
  "GrafanaDashboard",
  "CronJob",
];

export const isHarmless = (kind: string): boolean => HARMLESS.includes(kind);

export interface Pruning {
  /** Deleted by `--prune`. */
  readonly prunable: readonly KubeObject[];
  /** For a person: deleting one loses data, or the door to it. */
  readonly kept: readonly KubeObject[];
}

/** Splits what is there and not declared. An ExternalSecret counts as its Secret, which goes with it. */
export const pruningOf = (superfluous: readonly KubeObject[]): Pruning => ({
  prunable: superfluous.filter(({ kind }) => isHarmless(kind)),
  kept: superfluous.filter(({ kind }) => !isHarmless(kind)),
});
