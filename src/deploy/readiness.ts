/** Waits for what operators make of our objects: Secrets and certificates. */
import { type Cluster, referenceOf } from "./cluster.ts";
import { conditionOf, type KubeObject, titleOf } from "./object.ts";
import type { Waiting } from "./waiting.ts";

/** Whether an operator makes something of an object that others need. */
export const isAwaited = ({ kind }: KubeObject): boolean => ["ExternalSecret", "Certificate"].includes(kind);

/** Why an operator is not done with an object as it is now; undefined where it is. */
export function whyNotDone(object: KubeObject | undefined): string | undefined {
  if (!object) return "it is gone";
  const ready = conditionOf(object, "Ready");
  if (!ready) return "its operator has said nothing: does it run, and does it watch this namespace?";
  if (ready.status !== "True") return ready.message || "it is not ready";
  return isTakenUp(object) ? undefined : "its last change is not taken up yet";
}

/** Whether the operator has dealt with an object as it is now, well or not. */
export function isTakenUp(object: KubeObject): boolean {
  const ready = conditionOf(object, "Ready");
  if (!ready) return false;
  // Ready speaks of the generation that the operator last saw.
  const seen =
    ready.observedGeneration ?? Number(/^(\d+)-/.exec(object.status.syncedResourceVersion ?? "")?.[1] ?? Number.NaN);
  return !(seen < (object.metadata.generation ?? 0));
}

/** Why operators are not done with some of `objects`, each by its title. */
export async function whyNotAllDone(cluster: Cluster, objects: readonly KubeObject[]): Promise<readonly string[]> {
  const found = await Promise.all(
    objects.map(async (object) => {
      const why = whyNotDone(await cluster.get(referenceOf(object)));
      return why ? [`${titleOf(object)} in ${object.metadata.namespace}: ${why}`] : [];
    }),
  );
  return found.flat();
}

/** @throws StepFailure that names everything that is not ready when patience is at its end */
export async function awaitSecrets(
  cluster: Cluster,
  awaited: readonly KubeObject[],
  waiting: Waiting,
  patience: number,
): Promise<void> {
  let last: readonly string[] = [];
  await waiting.until(
    async () => {
      last = await whyNotAllDone(cluster, awaited);
      return last.length === 0 ? true : undefined;
    },
    patience,
    async () => last.join("\n"),
  );
}
