/** What was deployed when, by whom, and how it ended: kept in the cluster itself, beside what it speaks of. */
import { FIELD_MANAGER } from "./cluster.ts";
import type { KubeObject } from "./object.ts";
import type { ReplacedNote } from "./reload.ts";
import { StepFailure } from "./step.ts";

/** Not in dist, and without our mark: no deploy changes it, no prune takes it. */
const RECORD_NAME = "circl-deploys";
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
  /** It failed before it wrote anything: the cluster is as it was before it. */
  readonly untouched?: true;
  /** The servers' configuration that it was about to replace; gone once the run has ended well, and so has seen them take the new one. */
  readonly reload?: ReplacedNote;
}

/** Newest first. */
export type Deployments = readonly Deployment[];

/** @throws StepFailure where the ConfigMap was changed by hand and cannot be read */
export function deploymentsIn(record: KubeObject | undefined): Deployments {
  const text = record?.data?.[KEY];
  if (text === undefined) return [];
  try {
    return JSON.parse(text) as Deployments;
  } catch (cause) {
    throw new StepFailure(
      `ConfigMap ${RECORD_NAME}, key ${KEY}, is no JSON. Put the text right and give it back to circl: ${giveBack(record?.metadata.namespace ?? "")}. Or delete the ConfigMap, which forgets the history`,
      { cause },
    );
  }
}

/**
 * What makes circl the owner again of a record that somebody has edited: an apply never takes fields from others. With an equal value
 * even force takes nothing, and both own it; so the text comes back with a space before it, which JSON does not mind.
 */
export const giveBack = (namespace: string, context = "CONTEXT"): string => {
  const kubectl = `kubectl --context ${context} --namespace ${namespace}`;
  const apply = `apply --server-side --force-conflicts --field-manager ${FIELD_MANAGER} -f -`;
  return `${kubectl} get configmap ${RECORD_NAME} -o json | sed 's/"${KEY}": "/& /' | ${kubectl} ${apply}`;
};

/** The record with the last twenty of `deployments`. @param version of the record that was read; it must still be that one */
export const recordOf = (deployments: Deployments, namespace: string, version: string | undefined): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: RECORD_NAME, namespace, ...(version ? { resourceVersion: version } : {}) },
  data: { [KEY]: JSON.stringify(kept(deployments), undefined, 1) },
});

/** However many runs fail: what is there, what was before it, and so a way back are never forgotten. */
function kept(deployments: Deployments): Deployments {
  const now = lastDone(deployments);
  const ways = [now, now && before(deployments, now)];
  return deployments.filter((deployment, i) => i < KEPT || ways.includes(deployment));
}

/** What the cluster has, where the last run came to its end; else what it had before. */
export const lastDone = (deployments: Deployments): Deployment | undefined =>
  deployments.find(({ result }) => result === "done");

/** What a rollback by hand goes to: what was there before what is there now. */
export function previousOf(deployments: Deployments): Deployment | undefined {
  const now = lastDone(deployments);
  const newest = deployments.find(({ untouched }) => !untouched);
  // What failed or was cut off half-way is what is there now: before it was the last that ended well.
  return now && newest === now ? before(deployments, now) : now;
}

/** What ended well before `now` was first brought there. What a rollback came back from is no way back, but the next failure. */
function before(deployments: Deployments, now: Deployment): Deployment | undefined {
  const ended = deployments.slice(deployments.indexOf(now)).filter(({ result }) => result === "done");
  const first =
    now.kind === "rollback" ? ended.findIndex(({ kind, digest }) => kind === "deploy" && digest === now.digest) : 0;
  return ended.slice(Math.max(first, 0)).find(({ digest }) => digest !== now.digest);
}

/** What the newest run that wrote it left unseen: nobody knows whether the servers took that configuration over. */
export const unseenReload = (deployments: Deployments): ReplacedNote | undefined =>
  sinceDone(deployments).find(({ reload }) => reload)?.reload;

/** What the servers ran with before a run, since the last that ended well, replaced what has this digest (`reloadDigest`). */
export const goalIn = (deployments: Deployments, digest: string): ReplacedNote["before"] | undefined =>
  sinceDone(deployments).find(({ reload }) => reload?.from === digest)?.reload?.before;

const sinceDone = (deployments: Deployments): Deployments => {
  const seen = deployments.findIndex(({ result }) => result === "done");
  return deployments.slice(0, seen < 0 ? deployments.length : seen);
};

/** Milliseconds after which a run that has not said that it goes on counts as dead. */
const SILENCE = 120_000;

/** A run that goes on now; two at once would undo each other's work. */
export function runningNow([newest]: Deployments, now: number): Deployment | undefined {
  if (newest?.result !== "running") return undefined;
  return now - Date.parse(newest.renewed ?? newest.started) < SILENCE ? newest : undefined;
}
