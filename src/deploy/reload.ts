/** Whether servers have taken over a nats.conf that they are to reload. A reload that is refused shows nowhere but here and in their logs. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { NATS } from "../kubernetes/names.ts";
import { type Cluster, referenceOf } from "./cluster.ts";
import { confChanges } from "./conf-changes.ts";
import type { KubeObject } from "./object.ts";
import { isReady, podsOf } from "./pods.ts";
import { StepFailure } from "./step.ts";
import type { Waiting } from "./waiting.ts";

/** What a server says of the configuration that it runs with (`/varz`). */
export interface Loaded {
  /** Of what it read, includes and all; missing below 2.11. Comments and order change nothing of it. */
  readonly config_digest?: string;
  /** When it last took one over, its start included. A reload that it refuses leaves it as it was. */
  readonly config_load_time?: string;
}

/** By the pods of the servers that answer. */
export type LoadedByPod = ReadonlyMap<string, Loaded>;

/** Configuration that is about to be replaced, and what the servers run with until then. */
export interface Replaced {
  readonly before: LoadedByPod;
  /** Pods that are ready and did not say: nothing can be told of them afterwards. */
  readonly unasked?: readonly string[];
  /** nats.conf with other keys, and so another digest; nats.conf with other comments; accounts and permissions alone. */
  readonly what: "keys" | "comments" | "accounts";
  /** Of it, and of what comes in its place (`reloadDigest`). */
  readonly from: string;
  readonly digest: string;
}

/** The same as a record keeps it. */
export type ReplacedNote = Omit<Replaced, "before"> & { readonly before: readonly (readonly [string, Loaded])[] };

/** Of everything in `declared` that servers reload. */
export function reloadDigest(declared: readonly KubeObject[]): string {
  const [conf, accounts] = [confIn(declared), accountsIn(declared)];
  // The API server gives fields back in an order of its own.
  const templates = Object.entries(accounts?.spec.target.template.data ?? {}).sort();
  const content = [conf?.data?.["nats.conf"], templates];
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

const objectIn = (declared: readonly KubeObject[], kind: string, name: string): KubeObject | undefined =>
  declared.find((object) => object.kind === kind && object.metadata.name === name);
const confIn = (declared: readonly KubeObject[]) => objectIn(declared, "ConfigMap", NATS.configMap);
const accountsIn = (declared: readonly KubeObject[]) => objectIn(declared, "ExternalSecret", NATS.authSecret);

/** What the cluster has of everything in `declared` that servers reload. */
export async function liveOf(cluster: Cluster, declared: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  const wanted = [confIn(declared), accountsIn(declared)].flatMap((object) => object ?? []);
  const found = await Promise.all(wanted.map((object) => cluster.get(referenceOf(object))));
  return found.flatMap((object) => object ?? []);
}

/** Undefined where the servers' configuration stays as it is, or none runs. Asked before it is applied. */
export async function replacedConf(
  cluster: Cluster,
  declared: readonly KubeObject[],
  loaded: () => Promise<LoadedByPod>,
  waiting: Waiting,
  patience: number,
): Promise<Replaced | undefined> {
  const live = await liveOf(cluster, declared);
  const [from, to] = [live, declared].map((objects) => confIn(objects)?.data?.["nats.conf"]);
  // The data alone: the API server fills in what else a template may say.
  const templates = [live, declared].map((objects) => accountsIn(objects)?.spec.target.template.data);
  const what = changeOf(from, to) ?? (templates[0] && differ(templates) ? "accounts" : undefined);
  if (!what) return undefined;
  const asked = await askEvery(cluster, declared, loaded, waiting, Math.min(patience, ASKING));
  if (asked.before.size + asked.unasked.length === 0) return undefined;
  return { ...asked, what, from: reloadDigest(live), digest: reloadDigest(declared) };
}

/** Milliseconds for every server to answer: a forwarded port may fail once. */
const ASKING = 30_000;

/** The servers' pods: one that was replaced has another uid, and read its configuration as it started. */
export async function serverPods(
  cluster: Cluster,
  declared: readonly KubeObject[],
): Promise<ReadonlyMap<string, KubeObject>> {
  const set = objectIn(declared, "StatefulSet", NATS.name);
  return set ? await podsOf(cluster, set) : new Map();
}

async function askEvery(
  cluster: Cluster,
  declared: readonly KubeObject[],
  loaded: () => Promise<LoadedByPod>,
  waiting: Waiting,
  patience: number,
): Promise<{ readonly before: LoadedByPod; readonly unasked: readonly string[] }> {
  let [before, unasked]: [LoadedByPod, readonly string[]] = [new Map(), []];
  const ask = async () => {
    before = new Map([...before, ...(await loaded())]);
    const pods = [...(await serverPods(cluster, declared)).values()];
    unasked = pods.filter((pod) => isReady(pod) && !before.has(pod.metadata.name)).map(({ metadata }) => metadata.name);
    return unasked.length === 0 ? true : undefined;
  };
  await waiting
    .until(ask, patience, async () => "")
    .catch((error) => {
      if (!(error instanceof StepFailure)) throw error;
    });
  return { before, unasked };
}

function changeOf(from: string | undefined, to: string | undefined): Replaced["what"] | undefined {
  if (from === undefined || to === undefined || from === to) return undefined;
  return confChanges(from, to).length > 0 ? "keys" : "comments";
}

const differ = ([from, to]: readonly unknown[]): boolean => !isDeepStrictEqual(from, to);

/**
 * Waits until every server that ran runs with the new one.
 *
 * @param patience milliseconds
 * @param goal what they ran with before a deploy that is undone, or that was cut off, replaced what is wanted now: one that never took
 *   the other over has it still
 * @throws StepFailure that names the servers that do not
 */
export async function awaitReload(
  { before, what }: Pick<Replaced, "before" | "what">,
  loaded: () => Promise<LoadedByPod>,
  waiting: Waiting,
  patience: number,
  goal: LoadedByPod = new Map(),
): Promise<number> {
  const taken = (pod: string, old: Loaded, now: Loaded): boolean => {
    const field = what === "keys" && now.config_digest !== undefined ? "config_digest" : "config_load_time";
    return now[field] !== old[field] || (now[field] !== undefined && now[field] === goal.get(pod)?.[field]);
  };
  let late: string[] = [...before.keys()];
  const look = async () => {
    const now = await loaded();
    late = [...before].flatMap(([pod, old]) => (taken(pod, old, now.get(pod) ?? old) ? [] : [pod]));
    return late.length === 0 ? before.size : undefined;
  };
  return await waiting.until(look, patience, async () => {
    const which = late.map((pod) => `${pod} (loaded ${before.get(pod)?.config_load_time ?? "it does not say when"})`);
    return `${which.join(", ")} did not take the new ${what === "accounts" ? "auth.conf" : "nats.conf"} over: it has not come, or was refused. kubectl logs POD -c ${NATS.name} says which`;
  });
}
