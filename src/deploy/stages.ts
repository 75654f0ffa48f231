/** In which order objects are applied. */
import { GRAFANA_SIDECAR_LABEL } from "../kubernetes/names.ts";
import type { KubeObject } from "./object.ts";

export const STAGES = [
  "namespace and policy",
  "secrets and certificates",
  "configuration and services",
  "servers",
  "monitoring",
  "jobs",
] as const;
export type StageName = (typeof STAGES)[number];

export interface Stage {
  readonly name: StageName;
  readonly objects: readonly KubeObject[];
}

const KINDS: Readonly<Record<string, StageName>> = {
  ...{ Namespace: STAGES[0], PriorityClass: STAGES[0], ServiceAccount: STAGES[0], NetworkPolicy: STAGES[0] },
  ...{ PodDisruptionBudget: STAGES[0], Role: STAGES[0], RoleBinding: STAGES[0] },
  ...{ SecretStore: STAGES[1], ExternalSecret: STAGES[1], PushSecret: STAGES[1] },
  ...{ Issuer: STAGES[1], Certificate: STAGES[1] },
  ...{ ConfigMap: STAGES[2], Service: STAGES[2] },
  StatefulSet: STAGES[3],
  ...{ ServiceMonitor: STAGES[4], PrometheusRule: STAGES[4], GrafanaDashboard: STAGES[4] },
  ...{ CronJob: STAGES[5], Job: STAGES[5] },
};

/** Within a stage: what others refer to goes first. Kinds that are not here come after these, as dist has them. */
const FIRST = ["Namespace", "PriorityClass", "ServiceAccount", "SecretStore", "Issuer", "Certificate"];

/** @throws Error for a kind that nobody has put into a stage */
export function stageOf({ kind, metadata: { labels = {} } }: KubeObject): StageName {
  if (labels[GRAFANA_SIDECAR_LABEL] !== undefined) return "monitoring";
  const stage = KINDS[kind];
  if (!stage) throw new Error(`${kind} belongs to no stage of a deploy: name it in src/deploy/stages.ts`);
  return stage;
}

/** All stages in order, each with its objects; sorting is stable, so that files keep their order. */
export const stagesOf = (objects: readonly KubeObject[]): Stage[] =>
  STAGES.map((name) => ({
    name,
    objects: objects.filter((object) => stageOf(object) === name).sort((a, b) => rank(a) - rank(b)),
  }));

const rank = ({ kind }: KubeObject): number => (FIRST.includes(kind) ? FIRST.indexOf(kind) : FIRST.length);
