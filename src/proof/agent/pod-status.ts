/** What the API is told of a pod. */
import type { ContainerRun } from "./container-run.ts";
import type { Condition, Container, ContainerState, Pod } from "./objects.ts";

export interface PodProgress {
  readonly pod: Pod;
  readonly startTime: string;
  /** Of the node. */
  readonly hostIP: string;
  readonly podIP: string | undefined;
  /** Those that have been begun. */
  readonly init: readonly ContainerRun[];
  /** None before all init containers are done. */
  readonly main: readonly ContainerRun[];
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed";
  /** Why it has not got further, where something is missing. */
  readonly waitingFor: string | undefined;
}

export function statusOf(progress: PodProgress): object {
  const { pod, startTime, hostIP, podIP, init, main, phase, waitingFor } = progress;
  const ready = phase === "Running" && main.length > 0 && main.every((run) => run.ready);
  const unready = main.filter((run) => !run.ready).map(({ container }) => container.name);
  const because =
    waitingFor ?? (unready.length > 0 ? `containers with unready status: [${unready.join(" ")}]` : undefined);
  const readiness = ready ? {} : { reason: "ContainersNotReady", ...(because ? { message: because } : {}) };
  const wanted: readonly Condition[] = [
    { type: "PodReadyToStartContainers", status: truth(podIP !== undefined) },
    { type: "Initialized", status: truth(main.length > 0) },
    { type: "ContainersReady", status: truth(ready), ...readiness },
    { type: "Ready", status: truth(ready), ...readiness },
  ];
  const before = pod.status.conditions ?? [];
  const others = before.filter(({ type }) => !wanted.some((condition) => condition.type === type));
  const statuses = (containers: readonly Container[], runs: readonly ContainerRun[]) =>
    containers.map((container) => containerStatus(container, runs));
  return {
    phase,
    startTime,
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}),
    conditions: [...others, ...wanted.map((condition) => since(condition, before))],
    initContainerStatuses: statuses(pod.spec.initContainers ?? [], init),
    containerStatuses: statuses(pod.spec.containers, main),
  };
}

const truth = (value: boolean): string => (value ? "True" : "False");

/** A condition that has not changed keeps its time: `minReadySeconds` counts from there. */
function since(condition: Condition, before: readonly Condition[]): Condition {
  const old = before.find(({ type }) => type === condition.type);
  const same = old?.status === condition.status && old.lastTransitionTime;
  return { ...condition, lastTransitionTime: same || `${new Date().toISOString().slice(0, 19)}Z` };
}

function containerStatus({ name, image }: Container, runs: readonly ContainerRun[]): object {
  const run = runs.find(({ container }) => container.name === name);
  const state: ContainerState = run?.state ?? { waiting: { reason: "PodInitializing" } };
  const done = state.terminated?.exitCode === 0;
  return {
    name,
    image,
    imageID: "",
    state,
    lastState: run?.lastState ?? {},
    restartCount: run?.restarts ?? 0,
    started: run?.started ?? false,
    ready: (run?.ready ?? false) || done,
  };
}
