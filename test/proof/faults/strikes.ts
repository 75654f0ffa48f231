/** What can befall the servers of a site. Each of these resolves once the harm is done, and some once it is undone. */
import { setTimeout as sleep } from "node:timers/promises";
import { NATS, PORTS } from "../../../src/kubernetes/names.ts";
import type { KubeObject } from "../../../src/proof/agent/objects.ts";
import type { PodRun } from "../../../src/proof/agent/pod-run.ts";
import { CLIENTS } from "../../../src/proof/load/clients.ts";
import { killContainer } from "../../../src/proof/trials.ts";
import { eventually } from "../../support/control-plane.ts";
import { request } from "../../support/jetstream.ts";
import type { Site } from "./site.ts";

const namespaceOf = ({ model }: Site): string => model.environment.kubernetes.namespace;

/** Names of the NATS pods. */
export const serversOf = ({ model }: Site): readonly string[] =>
  Array.from({ length: model.environment.nats.servers }, (_, i) => `${NATS.name}-${i}`);

/** What runs of a pod now; undefined while there is nothing. */
export const runOf = (site: Site, pod: string): PodRun | undefined =>
  site.nodes.pods().find(({ pod: { metadata } }) => metadata.namespace === namespaceOf(site) && metadata.name === pod);

/** Of what runs of each pod now: what is replaced keeps its name and gets another. */
export const uidsOf = (site: Site, pods: readonly string[]): readonly (string | undefined)[] =>
  pods.map((pod) => runOf(site, pod)?.pod.metadata.uid);

export const nodeOf = (site: Site, pod: string): string => runOf(site, pod)?.pod.spec.nodeName ?? "";

const containerOf = (site: Site, pod: string, name: string) =>
  runOf(site, pod)?.containers.find(({ container }) => container.name === name);

/** Ends a container as the kernel does when memory runs out, and waits until the node has started it again. */
export const kill = (site: Site, pod: string, container: string): Promise<void> =>
  killContainer(containerOf(site, pod, container), `${pod}/${container}`);

/** Deletes a pod, which ends it with grace, and waits for the one that takes its place. */
export async function remove(site: Site, pod: string): Promise<void> {
  const before = runOf(site, pod)?.pod.metadata.uid;
  await site.kubectl(["delete", "pod", pod, `--namespace=${namespaceOf(site)}`, "--wait=false"]);
  await eventually(
    async () => runOf(site, pod)?.pod.metadata.uid,
    (uid) => uid !== undefined && uid !== before,
    `another pod in the place of ${pod}`,
  );
}

/** Takes a pod's disk away, and the pod with it; the one that takes its place begins with an empty disk. */
export async function loseVolume(site: Site, pod: string, claim: string): Promise<void> {
  const namespace = `--namespace=${namespaceOf(site)}`;
  await site.kubectl(["delete", "persistentvolumeclaim", `${claim}-${pod}`, namespace, "--wait=false"]);
  await remove(site, pod);
}

interface Set extends KubeObject {
  readonly spec: { readonly replicas: number };
  readonly status: { readonly readyReplicas?: number };
}

/** Minutes: a server whose disk is empty copies every stream before it is ready, on cores that the load takes. */
const COPYING = 15;

/** Waits until every pod of a StatefulSet is ready, whoever replaced it. @throws with those that are not */
export async function allReady(site: Site, set: string): Promise<void> {
  await eventually(
    async () => {
      const text = await site.kubectl(["get", "statefulset", set, `--namespace=${namespaceOf(site)}`, "--output=json"]);
      const { spec, status } = JSON.parse(text) as Set;
      const pods = Array.from({ length: spec.replicas }, (_, i) => `${set}-${i}`);
      // What the set says may be older than the blow.
      const unready = pods.filter((pod) => !isReady(site, pod));
      return { unready, missing: spec.replicas - (status.readyReplicas ?? 0) };
    },
    ({ unready, missing }) => unready.length === 0 && missing === 0,
    `every pod of ${set} to be ready`,
    COPYING,
  );
}

interface StreamState {
  readonly cluster?: { readonly leader?: string; readonly replicas?: readonly { readonly current: boolean }[] };
}

/** Waits until every stream has all its replicas, none of them behind: one more server may be lost only then. @throws with those that have not */
export async function allCurrent(site: Site): Promise<void> {
  const { streams } = site.model;
  await eventually(
    async () => {
      const planner = await site.connect("stream-plan").catch(() => undefined);
      if (!planner) return ["a server that answers"];
      const behind = await Promise.all(
        streams.map(async ({ name, replicas }) => {
          const { cluster } = ((await request(planner, `STREAM.INFO.${name}`).catch(() => ({}))) ?? {}) as StreamState;
          const followers = cluster?.replicas?.filter(({ current }) => current) ?? [];
          return cluster?.leader && followers.length === replicas - 1 ? [] : [name];
        }),
      );
      await planner.close();
      return behind.flat();
    },
    (behind) => behind.length === 0,
    "every stream to have all its replicas",
    COPYING,
  );
}

/** What the server in a pod says about itself. @throws where it does not answer */
export async function varzOf<T>(site: Site, pod: string): Promise<T> {
  const url = `http://${runOf(site, pod)?.address}:${PORTS.natsMonitor}/varz`;
  return (await (await fetch(url, { signal: AbortSignal.timeout(30_000) })).json()) as T;
}

/** Whether all containers of a pod that runs are ready. */
export function isReady(site: Site, pod: string): boolean {
  const run = runOf(site, pod);
  return run?.pod.spec.containers.every(({ name }) => containerOf(site, pod, name)?.ready) ?? false;
}

/** The two nodes of servers that the clients are not on: theirs is not what is to be lost. */
export function nodesWithoutClients(site: Site): readonly [string, string] {
  const { clientNamespace } = site.model.environment.kubernetes;
  const home = site.nodes.pod(clientNamespace, CLIENTS).pod.spec.nodeName;
  const [first, second, ...others] = serversOf(site)
    .map((pod) => nodeOf(site, pod))
    .filter((node) => node !== home);
  if (!first || !second || others.length > 0) throw new Error(`servers and clients are not spread: ${home}, ${first}`);
  return [first, second];
}

/** Longer than a client waits for an answer, shorter than a node may be silent before it counts as dead. */
const AWAY = 20_000;

/** Cuts the node of a pod off from the others for a while. */
export async function cutOff(site: Site, pod: string): Promise<void> {
  const node = nodeOf(site, pod);
  await site.nodes.cut(node, false);
  await sleep(AWAY);
  await site.nodes.cut(node, true);
}

/** Takes the power of two of three nodes for a while, and waits until servers and replicas are back. */
export async function losePower(site: Site): Promise<void> {
  const nodes = nodesWithoutClients(site);
  for (const node of nodes) await site.nodes.lose(node);
  await sleep(AWAY);
  for (const node of nodes) await site.nodes.recover(node);
  await allReady(site, NATS.name);
  await allCurrent(site);
}
