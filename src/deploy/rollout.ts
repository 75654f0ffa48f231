/** Applies a StatefulSet and replaces its pods one by one, each only when the one before has proved itself. */
import { isDeepStrictEqual } from "node:util";
import { replaceBroken, restartCrashing } from "./broken-pods.ts";
import { type Cluster, referenceOf } from "./cluster.ts";
import { growVolumes } from "./growth.ts";
import type { KubeObject } from "./object.ts";
import { isHopeless, isReady, podsOf, revisionOf, whyNotReady } from "./pods.ts";
import { podNames } from "./stateful-set-impact.ts";
import { applied, StepFailure } from "./step.ts";
import type { Waiting } from "./waiting.ts";

export interface RolloutInput {
  readonly cluster: Cluster;
  /** Milliseconds for one pod, from its end to ready and current. */
  readonly patience: number;
  readonly waiting: Waiting;
  /** The same, and Ctrl-C does not end it: for what must not stop half-way. */
  readonly insisting: Waiting;
  readonly say: (text: string) => void;
  /**
   * What must hold before a pod may go, beside Kubernetes' own idea of ready, and of `pod` once it is back: problems, or none.
   */
  readonly proven: (pod?: string) => Promise<readonly string[]>;
}

/**
 * Applies `declared` and waits until every pod is ready and of its revision.
 *
 * Kubernetes would go on to the next pod as soon as one is ready. So the rollout is held by its `partition`, which falls by one when
 * the pod above it is ready and has what the others have; before the first one goes, all must have it. Pods that serve nothing go
 * before all others: waiting for them is in vain, and taking a good one beside them could cost the majority. Interrupted, it stays
 * where it is, and the next deploy goes on from there.
 *
 * @throws StepFailure where a pod does not get ready
 */
export async function rollOut(declared: KubeObject, input: RolloutInput): Promise<void> {
  const { cluster, say } = input;
  const { name } = declared.metadata;
  const live = await cluster.get(referenceOf(declared));
  const grown = live !== undefined && (await growVolumes(live, declared, input));
  if (grown) say(`${name}: volumes have grown`);
  if (!(await mayReplacePods(grown ? undefined : live, declared, cluster))) {
    applied(await cluster.apply(declared), declared);
    if (live) await restartCrashing(declared, input);
    return await allReady(declared, input);
  }
  const replicas: number = declared.spec.replicas ?? 1;
  applied(await cluster.apply(heldAt(declared, replicas)), declared);
  const mended = await replaceBroken(declared, input, replaced);
  if (mended) applied(await cluster.apply(heldAt(declared, replicas)), declared);
  const stale = await stalePods(declared, input);
  if (mended || stale.length > 0) await complete(declared, input);
  for (const [i, pod] of [...podNames(name, replicas).entries()].reverse()) {
    if (stale.includes(pod)) await othersReady(declared, pod, input);
    applied(await cluster.apply(i === 0 ? declared : heldAt(declared, i)), declared);
    await replaced(declared, pod, input);
    if (stale.includes(pod)) say(`${pod} is replaced, ready and current`);
  }
  await allReady(declared, input);
}

const heldAt = (declared: KubeObject, partition: number): KubeObject => ({
  ...declared,
  spec: { ...declared.spec, updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition } } },
});

/** Whether an apply could replace pods, or an earlier one has not finished doing so. @param live undefined where no set is there */
async function mayReplacePods(live: KubeObject | undefined, declared: KubeObject, cluster: Cluster): Promise<boolean> {
  // Pods without their set: volumes have grown. The set that is made anew finds pods of an older template, and would replace them.
  if (!live) return (await podsOf(cluster, declared)).size > 0;
  const { currentRevision, updateRevision } = live.status ?? {};
  const { type, rollingUpdate } = live.spec.updateStrategy ?? {};
  if (currentRevision !== updateRevision || type === "OnDelete" || (rollingUpdate?.partition ?? 0) > 0) return true;
  const after = await cluster.apply(declared, { dryRun: true });
  return !isDeepStrictEqual(live.spec.template, applied(after, declared).spec.template);
}

/** The controller's view of the StatefulSet, once it has seen the last apply. */
const observed = ({ metadata, status }: KubeObject): boolean =>
  status?.observedGeneration >= (metadata.generation ?? 0);

/** Pods that run something else than what is wanted, once the controller says what that is. */
async function stalePods(declared: KubeObject, { cluster, waiting, patience }: RolloutInput): Promise<string[]> {
  const live = await waiting.until(
    async () => {
      const found = await cluster.get(referenceOf(declared));
      return found && observed(found) ? found : undefined;
    },
    patience,
    async () => `the controller does not take notice of StatefulSet ${declared.metadata.name}`,
  );
  const pods = [...(await podsOf(cluster, declared)).values()];
  return pods.filter((pod) => revisionOf(pod) !== live.status.updateRevision).map(({ metadata }) => metadata.name);
}

/** Before the first pod goes nothing may be missing: what one server lacks could be what the next one takes along. */
async function complete({ metadata }: KubeObject, { waiting, patience, proven }: RolloutInput): Promise<void> {
  let problems: readonly string[] = [];
  await waiting.until(
    async () => {
      problems = await proven();
      return problems.length === 0 ? true : undefined;
    },
    patience,
    async () => `no pod of ${metadata.name} is taken away while ${problems.join("; ")}`,
  );
}

/** Taking a pod while another is away could cost the majority of its group. */
async function othersReady(declared: KubeObject, next: string, input: RolloutInput): Promise<void> {
  const { cluster, waiting, patience } = input;
  const others = podNames(declared.metadata.name, declared.spec.replicas).filter((pod) => pod !== next);
  const problems = async (): Promise<string[]> => {
    const pods = await podsOf(cluster, declared);
    const away = others.filter((name) => !isReady(pods.get(name) ?? MISSING));
    const namespace = declared.metadata.namespace ?? "";
    return await Promise.all(away.map((name) => whyNotReady(cluster, name, pods.get(name), namespace)));
  };
  await waiting.until(
    async () => ((await problems()).length === 0 ? true : undefined),
    patience,
    async () => `${next} is not replaced while another is away: ${(await problems()).join("; ")}`,
  );
}

const MISSING: KubeObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "" } };

/** Waits until a pod has the revision that is wanted, is ready for long enough, and has proved itself. */
async function replaced(declared: KubeObject, name: string, input: RolloutInput): Promise<void> {
  const { cluster, waiting, patience, proven } = input;
  const namespace = declared.metadata.namespace ?? "";
  let problems: readonly string[] = [];
  const look = async () => {
    const live = await cluster.get(referenceOf(declared));
    const pod = (await podsOf(cluster, declared)).get(name);
    const wanted = live && observed(live) ? live.status.updateRevision : undefined;
    return { pod, isNew: pod !== undefined && wanted !== undefined && revisionOf(pod) === wanted };
  };
  await waiting.until(
    async () => {
      const { pod, isNew } = await look();
      if (pod && isNew && isHopeless(pod)) throw new StepFailure(await whyNotReady(cluster, name, pod, namespace));
      if (!pod || !isNew || !isReady(pod, declared.spec.minReadySeconds ?? 0)) return undefined;
      problems = await proven(name);
      return problems.length === 0 ? true : undefined;
    },
    patience,
    async () =>
      problems.length > 0
        ? `${name} is ready, but ${problems.join("; ")}`
        : await whyNotReady(cluster, name, (await look()).pod, namespace),
  );
}

async function allReady(declared: KubeObject, input: RolloutInput): Promise<void> {
  const names = podNames(declared.metadata.name, declared.spec.replicas);
  // What NATS has to say is asked when all is done: here no pod was replaced, or each has proved itself already.
  for (const name of names) await replaced(declared, name, { ...input, proven: async () => [] });
}
