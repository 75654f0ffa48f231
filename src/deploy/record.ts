/** What was deployed when, by whom, and how it ended: kept in the cluster itself, beside what it speaks of. */
import type { KubeObject } from "./object.ts";

/** Not in dist, and without our mark: no deploy changes it, no prune takes it. */
export const RECORD_NAME = "circl-deploys";
const KEY = "deploys.json";
const KEPT = 20;

export interface Deployment {
  readonly kind: "deploy" | "rollback";
  /** Whose `dist/<environment>` it was. */
  readonly commit: string;
  /** Of those manifests: what git gives for the commit must be these. */
  readonly digest: string;
  readonly who: string;
  /** ISO 8601. */
  readonly started: string;
  /** running: nobody has said how it ended; whoever ran it may be gone. */
  readonly result: "running" | "done" | "failed";
  /** When a run that goes on last said so, ISO 8601. */
  readonly renewed?: string;
  readonly seconds?: number;
  /** What went wrong, or what there was to do. */
  readonly says?: string;
}

/** Newest first. */
export type Deployments = readonly Deployment[];

/** @throws Error where the ConfigMap was changed by hand and cannot be read */
export function deploymentsIn(record: KubeObject | undefined): Deployments {
  const text = record?.data?.[KEY];
  if (text === undefined) return [];
  try {
    return JSON.parse(text) as Deployments;
  } catch (cause) {
    throw new Error(
      `ConfigMap ${RECORD_NAME}, key ${KEY}, is no JSON: restore it from kubectl's history or delete the ConfigMap, which forgets the history`,
      { cause },
    );
  }
}

/** The record with `deployments`, of which the last twenty are kept. @param version of the record that was read; it must still be that one */
export const recordOf = (deployments: Deployments, namespace: string, version: string | undefined): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: RECORD_NAME, namespace, ...(version ? { resourceVersion: version } : {}) },
  data: { [KEY]: JSON.stringify(deployments.slice(0, KEPT), undefined, 1) },
});

/** What the cluster has, where the last run came to its end; else what it had before. */
export const lastDone = (deployments: Deployments): Deployment | undefined =>
  deployments.find(({ result }) => result === "done");

/** What was there before what is there now. */
export function previousOf(deployments: Deployments): Deployment | undefined {
  const now = lastDone(deployments);
  return deployments.find(({ result, digest }) => result === "done" && digest !== now?.digest);
}

/** Milliseconds after which a run that has not said that it goes on counts as dead. */
const SILENCE = 120_000;

/** A run that goes on now; two at once would undo each other's work. */
export function runningNow([newest]: Deployments, now: number): Deployment | undefined {
  if (newest?.result !== "running") return undefined;
  return now - Date.parse(newest.renewed ?? newest.started) < SILENCE ? newest : undefined;
}
