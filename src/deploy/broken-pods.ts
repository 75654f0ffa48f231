/** Pods that do not serve are replaced before those that do, and without waiting for what they will never be. */
import { type Cluster, referenceOf } from "./cluster.ts";
import type { KubeObject } from "./object.ts";
import { hasRestarted, isDown, isReady, isTerminating, isUnplaced, podsOf, revisionOf } from "./pods.ts";
import type { RolloutInput } from "./rollout.ts";
import { podNames } from "./stateful-set-impact.ts";
import { applied } from "./step.ts";

type Wait = (declared: KubeObject, pod: string, input: RolloutInput) => Promise<void>;

/**
 * Takes away all pods that do not serve, at once: what is down is not lost by going, and with the majority down none of them could
 * get ready alone. A rolling update starts from the last pod and would take a good one first, so meanwhile the strategy is OnDelete,
 * under which a pod comes back with what is wanted now.
 *
 * @param until waits for a pod to be back
 * @returns whether there were any
 * @throws StepFailure where one does not get ready then
 */
export async function replaceBroken(declared: KubeObject, input: RolloutInput, until: Wait): Promise<boolean> {
  const { cluster, say } = input;
  for (let any = false; ; any = true) {
    const broken = await brokenPods(declared, input);
    if (broken.length === 0) return any;
    applied(await cluster.apply(onDelete(declared)), declared);
    for (const pod of broken) {
      say(`${pod.metadata.name} does not serve: it is replaced first`);
      await takeAway(pod, input);
    }
    // What NATS has to say is asked when the last of them is back.
    for (const { metadata } of broken) await until(declared, metadata.name, { ...input, proven: async () => [] });
  }
}

/** Takes away pods of the wanted revision that crash: what else was applied may have mended them, and they would try again only in minutes. */
export async function restartCrashing(declared: KubeObject, input: RolloutInput): Promise<void> {
  for (const pod of (await podsOf(input.cluster, declared)).values()) {
    if (isReady(pod) || !isDown(pod)) continue;
    input.say(`${pod.metadata.name} crashes: it is started anew`);
    await takeAway(pod, input);
  }
}

/** null, because the API server has filled in a partition that only a rolling update may have. */
const onDelete = (declared: KubeObject): KubeObject => ({
  ...declared,
  spec: { ...declared.spec, updateStrategy: { type: "OnDelete", rollingUpdate: null } },
});

/** Pods that are down; or, where others are slow, what is still not ready when patience is at its end. */
async function brokenPods(declared: KubeObject, input: RolloutInput): Promise<readonly KubeObject[]> {
  const { cluster, waiting, patience } = input;
  const names = podNames(declared.metadata.name, declared.spec.replicas);
  const end = Date.now() + patience;
  return await waiting.until(
    async () => {
      const wanted = await wantedRevision(cluster, declared);
      const pods = [...(await podsOf(cluster, declared)).values()];
      const away = pods.filter((pod) => !isReady(pod));
      const down = away.filter((pod) => isDown(pod) || (isUnplaced(pod) && revisionOf(pod) !== wanted));
      // Those that crash run for a moment between two crashes.
      if (down.length > 0) return away.filter((pod) => down.includes(pod) || hasRestarted(pod));
      if (away.length === 0 && pods.length >= names.length) return [];
      return Date.now() < end ? undefined : away.filter((pod) => !isTerminating(pod) && revisionOf(pod) !== wanted);
    },
    Number.POSITIVE_INFINITY,
    async () => "",
  );
}

const wantedRevision = async (cluster: Cluster, declared: KubeObject): Promise<string | undefined> =>
  (await cluster.get(referenceOf(declared)))?.status?.updateRevision;

/** Asks for the end of this pod and of no other of its name, however often the answer is lost. */
async function takeAway(pod: KubeObject, { cluster, waiting, patience }: RolloutInput): Promise<void> {
  const reference = referenceOf({ ...pod, apiVersion: "v1", kind: "Pod" });
  await waiting.until(
    async () => {
      const now = await cluster.get(reference);
      if (!now || now.metadata.uid !== pod.metadata.uid || isTerminating(now)) return true;
      await cluster.remove(reference);
      return undefined;
    },
    patience,
    async () => `${pod.metadata.name} does not go`,
  );
}
