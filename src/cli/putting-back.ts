/** The way back: manifests of before are applied and verified; streams stay as they are. */

import type { ObjectChange } from "../deploy/comparison.ts";
import type { Facts } from "../deploy/impact.ts";
import { compareLive } from "../deploy/live-comparison.ts";
import { factsOf } from "../deploy/nats-state.ts";
import type { KubeObject } from "../deploy/object.ts";
import { replacesServers } from "../deploy/rollout-obstacles.ts";
import { applyStages } from "../deploy/run.ts";
import { tagOf } from "../deploy/stateful-set-impact.ts";
import { reasonsAgainst } from "../deploy/way-back.ts";
import type { DeploymentOptions, NatsServers } from "./deployment.ts";
import { patientCluster, type Run, recorded, type Task, verify } from "./deployment-run.ts";
import { SERVERS, whatNatsLacks } from "./first-look.ts";
import { removeLeftovers } from "./leftovers.ts";
import { log } from "./output/terminal.ts";
import { visible } from "./output/visible.ts";

export interface WayBack {
  readonly streamsChanged: readonly string[];
  /** Part of a deploy that failed; else somebody has asked for it. */
  readonly unasked: boolean;
  /** Whether the deploy that is undone made an object: it goes again, if it holds nothing. */
  readonly brought: (object: KubeObject) => boolean;
  readonly facts: Facts;
}

/** What is known for a way back, which goes where the cluster has been. Servers that do not answer are what it may be for. */
export async function factsForWayBack(servers: NatsServers): Promise<Facts> {
  const asked = await servers.observe().then(factsOf, ({ message }: Error) => ({ unasked: message }));
  return { ...asked, deployedBefore: true };
}

/**
 * What to know before pods are replaced: not whole, NATS would lose more by each. A way back waits for that, as it may be what brings it.
 * @param settling milliseconds for NATS to be whole
 */
export async function wholenessNotes(
  task: Task,
  { rolloutTimeout }: DeploymentOptions,
  changes: readonly ObjectChange[],
  settling: number,
): Promise<readonly string[]> {
  const { name, nats, kubernetes } = task.model.environment;
  if (!replacesServers(changes)) return [];
  const live = await patientCluster(task).get({ ...SERVERS, namespace: kubernetes.namespace });
  const lacking = await whatNatsLacks(task.servers, live, nats.servers, settling);
  if (lacking.length === 0) return [];
  return [
    `NATS is not whole: ${lacking.join("; ")}. No pod is replaced before it is; the rollback waits at most ${rolloutTimeout} for that and then fails. circl status ${name} shows it`,
  ];
}

/**
 * Applies the manifests of `task` and verifies them. Where that cannot be done, nothing is touched.
 * @throws ConnectionFailure, AlreadyRunning where it cannot begin
 */
export async function putBack(task: Task, options: DeploymentOptions, way: WayBack): Promise<Run> {
  const { model, manifests } = task;
  const cluster = patientCluster(task);
  const { namespace } = model.environment.kubernetes;
  const server = await cluster.get({ ...SERVERS, namespace });
  const changes = await compareLive(cluster, model.environment.name, manifests.objects, way.facts);
  const reasons = reasonsAgainst({
    changes,
    running: server && tagOf(server),
    declared: manifests.objects,
    streamsChanged: way.streamsChanged,
    unasked: way.unasked,
  });
  if (reasons.length > 0) {
    const says = [
      `Not rolled back to ${task.commit}, because of what cannot be undone:`,
      ...reasons.map((reason) => `- ${reason}`),
    ];
    return { kind: "rollback", commit: task.commit, result: "failed", seconds: 0, steps: [], says };
  }
  // Who asked for it has been told.
  if (way.unasked) for (const note of await wholenessNotes(task, options, changes, 0)) log(`note: ${visible(note)}`);
  const { ending: _, ...run } = await recorded("rollback", task, options, async (input) => {
    const seen = await applyStages(input);
    const left = await removeLeftovers(input, {
      wanted: way.brought,
      why: "is not part of what was put back",
      // Not by a deploy: the one that would prune it brings back what failed.
      wayOut: ({ kind, metadata: { name, namespace } }) =>
        `kubectl --context ${cluster.context} delete ${kind.toLowerCase()} ${name} -n ${namespace}, if nothing needs it`,
    });
    await verify(input, task);
    return [...seen, ...left];
  });
  return run;
}
