/**
 * Nodes of a real control plane without containers: each registers itself, says that it lives, and runs the pods that are placed
 * on it as processes. All of them are this machine: they share its kernel, its programs and one bridge.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Api, ApiFailure, openApi } from "../api.ts";
import { startTogether } from "../parts.ts";
import { imagesIn, type Tools } from "./images.ts";
import { hostsFile } from "./names.ts";
import { openNetwork } from "./network.ts";
import type {
  Claim,
  ConfigMap,
  EndpointSlice,
  KubeObject,
  NetworkPolicy,
  PersistentVolume,
  Pod,
  Secret,
  Service,
} from "./objects.ts";
import { packetFilter } from "./packet-filter.ts";
import { type PodRun, type PodRunInput, runPod } from "./pod-run.ts";
import { HEARTBEAT, LEASE_NAMESPACE, leaseOf, nodeObject } from "./registration.ts";

export interface NodesInput {
  /** Of an administrator. */
  readonly kubeconfig: string;
  /** Zone of each node, by its name. */
  readonly zones: Readonly<Record<string, string>>;
  readonly tools: Tools;
  /** For logs and what pods keep; theirs as long as they run. */
  readonly folder: string;
  /** Told of what goes wrong beside the pods, for people. */
  readonly log?: (line: string) => void;
}

export interface Nodes extends AsyncDisposable {
  /** Address of this machine among the pods. */
  readonly gateway: string;
  /** Pods that run now. */
  readonly pods: () => readonly PodRun[];
  /** @throws Error where no such pod runs */
  pod(namespace: string, name: string): PodRun;
  /** File with what containers of a pod have said, by `<namespace>_<pod>_<uid>/<container>/<run>.log` below it. */
  readonly logs: string;
  /** Takes the power from a node: its pods end at once, and it says nothing more. */
  lose(node: string): Promise<void>;
  /** Lets it start again, with its pods. */
  recover(node: string): Promise<void>;
  /**
   * Cuts a node's pods off from all others, or joins them again; they go on running. The node itself still says that it lives: it
   * would else count as dead after 50 s and its pods as not ready, and this agent, unlike a kubelet, tells only what has changed.
   */
  cut(node: string, connected: boolean): Promise<void>;
}

/** Changes that come together are carried out together. */
const SETTLE = 100;

/** Starts nodes, and resolves once all of them are registered. @throws Error where the system or the API server refuses */
export const startNodes = ({ kubeconfig, zones, tools, folder, log = () => {} }: NodesInput): Promise<Nodes> =>
  startTogether(async (parts) => {
    const network = parts.use(await openNetwork());
    const runs = new Map<string, PodRun>();
    let working: Promise<unknown> = Promise.resolve();
    parts.use({
      async [Symbol.asyncDispose]() {
        await Promise.allSettled([...runs.values()].map((run) => run.kill()));
        await working;
      },
    });
    const api = parts.use(openApi(kubeconfig));
    let closing = false;
    // What is cut off by the end has not failed.
    const failed = (error: unknown) => {
      if (!closing) log(`node agent: ${(error as Error).message}`);
    };
    const logs = join(folder, "logs");
    const lost = new Set<string>();
    const isOurs = (pod: Pod) => zones[pod.spec.nodeName ?? ""] !== undefined && !lost.has(pod.spec.nodeName ?? "");

    const later = debounced(async () => {
      for (const run of runs.values()) await run.refresh().catch(failed);
    });
    const [configMaps, secrets, claims, disks, services, slices, policies, namespaces] = await Promise.all([
      api.keep<ConfigMap>("/api/v1/configmaps", later),
      api.keep<Secret>("/api/v1/secrets", later),
      api.keep<Claim>("/api/v1/persistentvolumeclaims"),
      api.keep<PersistentVolume>("/api/v1/persistentvolumes"),
      api.keep<Service>("/api/v1/services", later),
      api.keep<EndpointSlice>("/apis/discovery.k8s.io/v1/endpointslices", later),
      api.keep<NetworkPolicy>("/apis/networking.k8s.io/v1/networkpolicies", later),
      api.keep<KubeObject>("/api/v1/namespaces", later),
    ]);

    const surroundings = (pod: Pod, address: string) => {
      const cluster = {
        pods: pods.values(),
        namespaces: namespaces.values(),
        policies: policies.values(),
        services: services.values(),
        slices: slices.values(),
      };
      const own = `${address} ${pod.spec.hostname ?? pod.metadata.name}`;
      return {
        hosts: hostsFile(pod.metadata.namespace, own, cluster),
        filter: packetFilter(pod, cluster, network.gateway),
      };
    };
    const start = (pod: Pod) => {
      const { namespace, name, uid } = pod.metadata;
      const place = join(folder, "pods", uid);
      mkdirSync(place, { recursive: true });
      const run = runPod(pod, {
        network,
        volumes: { configMaps, secrets, claims, disks },
        imageOf,
        folder: place,
        logs: join(logs, `${namespace}_${name}_${uid}`),
        surroundings,
        report: reporter(api, failed),
      });
      runs.set(uid, run);
    };
    const finish = async (pod: Pod) => {
      const { uid, deletionGracePeriodSeconds = 0 } = pod.metadata;
      await runs.get(uid)?.stop(deletionGracePeriodSeconds * 1000);
      runs.delete(uid);
      const options = { gracePeriodSeconds: 0, preconditions: { uid } };
      await api.send("DELETE", pathOf(pod), options).catch(unlessGone);
    };
    const imageOf = imagesIn(join(folder, "images"), tools);
    const work = (task: Promise<unknown>) => {
      working = Promise.all([working, task.catch(failed)]);
    };
    const take = (pod: Pod, gone: boolean) => {
      later();
      const run = runs.get(pod.metadata.uid);
      if (gone) {
        runs.delete(pod.metadata.uid);
        if (run) work(run.kill());
      } else if (isOurs(pod)) {
        run?.update(pod);
        if (pod.metadata.deletionTimestamp) work(finish(pod));
        else if (!run && ["Pending", "Running"].includes(pod.status.phase)) start(pod);
      }
    };
    const pods = await api.keep<Pod>("/api/v1/pods", (pod, gone) => setImmediate(take, pod, gone));

    for (const [name, zone] of Object.entries(zones))
      await api.send("POST", "/api/v1/nodes", nodeObject(name, zone, network.gateway));
    const on = (name: string) => [...runs.values()].filter(({ pod }) => pod.spec.nodeName === name);
    // All of it each time: controllers that took the node for dead have said so of it and of its pods.
    const sayAlive = async (name: string) => {
      await renew(api, name);
      const { status } = nodeObject(name, zones[name] ?? "", network.gateway);
      await api.patch(`/api/v1/nodes/${name}/status`, { status });
      for (const run of on(name)) run.report();
    };
    const beat = () => {
      for (const name of Object.keys(zones)) if (!lost.has(name)) work(sayAlive(name));
    };
    beat();
    const heart = setInterval(beat, HEARTBEAT);
    parts.use({
      async [Symbol.asyncDispose]() {
        closing = true;
        clearInterval(heart);
      },
    });
    return {
      gateway: network.gateway,
      logs,
      pods: () => [...runs.values()],
      pod(namespace, name) {
        const found = [...runs.values()].find(
          ({ pod: { metadata } }) => metadata.namespace === namespace && metadata.name === name,
        );
        if (!found) throw new Error(`the pod ${name} of ${namespace} does not run`);
        return found;
      },
      async lose(name) {
        lost.add(name);
        const gone = on(name);
        for (const { pod } of gone) runs.delete(pod.metadata.uid);
        await Promise.all(gone.map((run) => run.kill()));
      },
      async recover(name) {
        lost.delete(name);
        await sayAlive(name);
        for (const pod of pods.values().filter(({ spec }) => spec.nodeName === name)) take(pod, false);
      },
      async cut(name, connected) {
        for (const { address } of on(name)) if (address) await network.plug(address, connected);
      },
      [Symbol.asyncDispose]: parts[Symbol.asyncDispose],
    };
  });

/** Sends what is known of a pod, one request at a time and the newest only. */
function reporter(api: Api, failed: (error: unknown) => void): PodRunInput["report"] {
  let newest: object | undefined;
  let sent: Promise<unknown> = Promise.resolve();
  return (pod, status) => {
    newest = status;
    const send = () => api.patch(`${pathOf(pod)}/status`, { metadata: { uid: pod.metadata.uid }, status });
    sent = sent
      .then(() => status === newest && send())
      .catch(unlessGone)
      .catch(failed);
  };
}

const pathOf = ({ metadata }: Pod): string => `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;

/** Another pod has the name by now, which the API server says as a change of its uid, or none. */
function unlessGone(error: unknown): void {
  if (!(error instanceof ApiFailure)) throw error;
  if (![404, 409].includes(error.status) && !error.message.includes("metadata.uid")) throw error;
}

/** Calls `work` a little after it was asked to, once for all who asked until then, and never twice at a time. */
function debounced(work: () => Promise<void>): () => void {
  let asked = false;
  let running: Promise<void> = Promise.resolve();
  return () => {
    if (asked) return;
    asked = true;
    running = running.then(async () => {
      await sleep(SETTLE);
      asked = false;
      await work();
    });
  };
}

/** Server-side, which makes the lease where there is none yet. */
function renew(api: Api, name: string): Promise<unknown> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${LEASE_NAMESPACE}/leases/${name}?fieldManager=kubelet&force=true`;
  return api.send("PATCH", path, leaseOf(name), "application/apply-patch+yaml");
}
