/** What a deploy finds out before its first write. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, referenceOf } from "../deploy/cluster.ts";
import { type Comparison, isBlocked } from "../deploy/comparison.ts";
import { whatForbidsGrowth } from "../deploy/growth.ts";
import type { Facts } from "../deploy/impact.ts";
import { readRecord } from "../deploy/journal.ts";
import { compareLive } from "../deploy/live-comparison.ts";
import { factsOf } from "../deploy/nats-state.ts";
import type { KubeObject } from "../deploy/object.ts";
import { type Obstacle, preflight } from "../deploy/preflight.ts";
import { type Deployment, lastDone } from "../deploy/record.ts";
import { rolloutObstacles } from "../deploy/rollout-obstacles.ts";
import type { Plan } from "../jetstream/plan.ts";
import { NATS } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import type { NatsServers } from "./deployment.ts";
import { type Manifests, manifestsOf } from "./manifest-source.ts";

export interface FirstLook {
  readonly model: Model;
  readonly cluster: Cluster;
  readonly servers: NatsServers;
  readonly manifests: Manifests;
  readonly commit: string;
  readonly options: { readonly prune?: boolean; readonly previous?: string };
  readonly root: string;
  /** What an apply of the streams would do now. */
  readonly planStreams: () => Promise<Plan>;
  /** Milliseconds for NATS to be whole. @default SETTLING */
  readonly settling?: number;
}

/** Milliseconds for NATS to be whole: an election takes seconds. */
export const SETTLING = 30_000;

interface Findings {
  readonly comparison: Comparison;
  /** Missing while there are no servers to ask. */
  readonly plan?: Plan;
  readonly notes: readonly string[];
}

/** Everything that can be known before the first write. */
export async function lookFirst(task: FirstLook): Promise<Findings | { readonly obstacles: readonly Obstacle[] }> {
  const { model, cluster, servers, manifests, commit, options, root, settling = SETTLING } = task;
  const { environment } = model;
  const { objects } = manifests;
  const asked = await preflight({ cluster, environment, declared: objects, prune: options.prune === true });
  const obstacles = [
    ...asked,
    // What may not be read has been said by now.
    ...(asked.length > 0 ? [] : await volumeObstacles(cluster, objects)),
    ...commitObstacles(manifests, commit, environment.name, root),
  ];
  const live = await cluster.get({ ...SERVERS, namespace: environment.kubernetes.namespace });
  const running = serversRunning(live);
  let plan: Plan | undefined;
  let facts: Facts = {};
  if (running !== "none") {
    try {
      plan = await task.planStreams();
      facts = factsOf(await servers.observe());
    } catch (error) {
      const { name, message } = error as Error;
      if (!["ConnectionFailure", "ApiError", "WrongCluster", "ServerTooOld"].includes(name)) throw error;
      // Broken and old servers are what a deploy may be for; of healthy ones silence means that the deploy could not finish.
      if ((running === "all" && name !== "ServerTooOld") || name === "WrongCluster")
        obstacles.push({ says: `NATS: ${message}`, hint: "" });
      facts = { unasked: message };
    }
  }
  if (obstacles.length > 0) return { obstacles };
  const last = lastDone(await readRecord(cluster, environment.kubernetes.namespace));
  const known: Facts = last?.digest === manifests.digest ? { ...facts, deployedBefore: true } : facts;
  const changes = await compareLive(cluster, environment.name, objects, known);
  const comparison = { environment: environment.name, with: `the cluster of ${cluster.context}`, changes };
  const lacking = await whatNatsLacks(servers, live, environment.nats.servers, settling);
  // What is blocked is shown first, and nothing is replaced then.
  const waits = isBlocked(changes) ? [] : rolloutObstacles(lacking, changes, environment.name);
  if (waits.length > 0) return { obstacles: waits };
  const notes = [
    ...(lacking.length > 0 ? [`NATS is not whole, and a deploy ends well only once it is: ${lacking.join("; ")}`] : []),
    ...(plan ? [] : ["streams are planned once the servers answer"]),
    ...wayBackNotes(task, last),
  ];
  return { comparison, notes, ...(plan ? { plan } : {}) };
}

/** The commit says what to go back to one day: it must be the one that these manifests are of, where git can tell. */
function commitObstacles({ digest }: Manifests, commit: string, environment: string, root: string): Obstacle[] {
  const committed = manifestsOf(commit, environment, root);
  return committed === undefined || committed.digest === digest
    ? []
    : [
        {
          says: `the manifests are not those of commit ${commit}`,
          hint: `Commit dist/${environment} first, or name the commit that they are of with --commit.`,
        },
      ];
}

/** Where volumes are to grow, nats.conf counts on it: found out behind that, it would be too late. */
async function volumeObstacles(cluster: Cluster, objects: readonly KubeObject[]): Promise<readonly Obstacle[]> {
  const found = await Promise.all(
    objects
      .filter(({ kind }) => kind === "StatefulSet")
      .map(async (declared) => {
        const live = await cluster.get(referenceOf(declared));
        return live ? await whatForbidsGrowth(live, declared, cluster) : [];
      }),
  );
  return found.flat();
}

export const SERVERS = { apiVersion: "apps/v1", kind: "StatefulSet", name: NATS.name } as const;

function serversRunning(live: KubeObject | undefined): "none" | "some" | "all" {
  const ready: number = live?.status?.readyReplicas ?? 0;
  return ready === 0 ? "none" : ready < live?.spec.replicas ? "some" : "all";
}

/** Milliseconds between two looks. */
const PAUSE = 2_000;

/**
 * What meta group and streams lack for longer than `settling` milliseconds, of servers that are all ready.
 * @param wanted how many there should be: those that are to come cannot be asked yet
 */
export async function whatNatsLacks(
  servers: NatsServers,
  live: KubeObject | undefined,
  wanted: number,
  settling: number,
): Promise<readonly string[]> {
  if (serversRunning(live) !== "all" || live?.spec.replicas !== wanted) return [];
  for (const end = Date.now() + settling; ; await sleep(PAUSE)) {
    const problems = await servers.problems();
    if (problems.length === 0 || Date.now() >= end) return problems;
  }
}

/** What stands in the way of a way back: said before, not found out at the worst moment. */
function wayBackNotes({ model, manifests, options, root }: FirstLook, last: Deployment | undefined): string[] {
  const { name } = model.environment;
  if (!last) return ["nothing is recorded as deployed: a step that fails is not rolled back"];
  if (last.digest === manifests.digest || options.previous) return [];
  return manifestsOf(last.commit, name, root)
    ? []
    : [
        `a step that fails is not rolled back: dist/${name} of commit ${last.commit} is not in this clone, and --previous is not given`,
      ];
}
