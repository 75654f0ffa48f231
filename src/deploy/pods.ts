/** How the pods of a StatefulSet are. */
import type { Cluster } from "./cluster.ts";
import { conditionOf, type KubeObject } from "./object.ts";

interface ContainerStatus {
  readonly name: string;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
}

/** Pods of a StatefulSet by name; those that are missing are missing. */
export async function podsOf(cluster: Cluster, { metadata, spec }: KubeObject): Promise<Map<string, KubeObject>> {
  const labels = Object.entries(spec.selector.matchLabels as Record<string, string>)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const pods = await cluster.list({ apiVersion: "v1", kind: "Pod" }, { namespace: metadata.namespace ?? "", labels });
  return new Map(pods.map((pod) => [pod.metadata.name, pod]));
}

export const revisionOf = ({ metadata }: KubeObject): string => metadata.labels?.["controller-revision-hash"] ?? "";

export const isTerminating = ({ metadata }: KubeObject): boolean =>
  (metadata as { deletionTimestamp?: string }).deletionTimestamp !== undefined;

/** Ready, and for at least so many seconds. */
export function isReady(pod: KubeObject, seconds = 0, now = Date.now()): boolean {
  const ready = conditionOf(pod, "Ready");
  if (isTerminating(pod) || ready?.status !== "True") return false;
  return now - Date.parse(ready.lastTransitionTime ?? "") >= seconds * 1_000;
}

/** Restarts after which waiting longer is of no use: the back-off is minutes by then. */
const HOPELESS = 5;

const containersOf = ({ status }: KubeObject): readonly ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];

/** Whether a pod crashes again and again. */
export const isHopeless = (pod: KubeObject): boolean =>
  containersOf(pod).some(
    ({ restartCount = 0, state }) => restartCount >= HOPELESS && state?.waiting?.reason === "CrashLoopBackOff",
  );

/** What a container that is only just beginning waits for. */
const BEGINNING = ["ContainerCreating", "PodInitializing"];

/** Whether containers of a pod cannot run: they crash, or cannot be started. One that runs and is not ready yet may only be slow. */
export const isDown = (pod: KubeObject): boolean =>
  containersOf(pod).some(({ state }) => state?.waiting?.reason && !BEGINNING.includes(state.waiting.reason));

/** Whether a container of a pod has ended before. */
export const hasRestarted = (pod: KubeObject): boolean =>
  containersOf(pod).some(({ restartCount = 0 }) => restartCount > 0);

/** Whether no node takes a pod. */
export const isUnplaced = (pod: KubeObject): boolean => conditionOf(pod, "PodScheduled")?.status === "False";

/** Why a pod is not ready, in the words of the kubelet, the scheduler and the last event. */
export async function whyNotReady(
  cluster: Cluster,
  name: string,
  pod: KubeObject | undefined,
  namespace: string,
): Promise<string> {
  if (!pod) return `${name} is not there`;
  const waiting = containersOf(pod).flatMap(({ name: container, state, restartCount = 0 }) => {
    const reason = state?.waiting?.reason ?? state?.terminated?.reason;
    return reason && reason !== "Completed" && reason !== "PodInitializing"
      ? [`container ${container} ${reason}${restartCount > 0 ? `, ${restartCount} restarts` : ""}`]
      : [];
  });
  const unplaced = isUnplaced(pod) ? conditionOf(pod, "PodScheduled")?.message : undefined;
  const events = await cluster.list(
    { apiVersion: "v1", kind: "Event" },
    { namespace, fields: `involvedObject.name=${name},type=Warning` },
  );
  const last = events.at(-1) as { message?: string } | undefined;
  const said = [...waiting, ...(unplaced ? [unplaced.trim()] : []), ...(last?.message ? [last.message.trim()] : [])];
  // An event often repeats a condition.
  return `${name} is not ready${said.length > 0 ? `: ${[...new Set(said)].join("; ")}` : ""}`;
}
