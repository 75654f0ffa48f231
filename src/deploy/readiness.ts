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

function isTakenUp(object: KubeObject): boolean {
  // Ready speaks of the generation that the operator last saw.
  const seen = conditionOf(object, "Ready")?.observedGeneration ?? syncedGeneration(object) ?? Number.NaN;
  return !(seen < generationOf(object));
}

/**
 * Whether what others need is known to be there, as the object is now. External Secrets writes `syncedResourceVersion` once it has made
 * the Secret, and leaves it when a later refresh fails; cert-manager writes `notAfter` once it has issued.
 */
export const isMade = (object: KubeObject): boolean =>
  object.kind === "Certificate"
    ? object.status?.notAfter !== undefined && whyNotDone(object) === undefined
    : (syncedGeneration(object) ?? -1) >= generationOf(object);

const generationOf = ({ metadata }: KubeObject): number => metadata.generation ?? 0;

/** `3-0f1e2d` was made of generation 3. */
function syncedGeneration({ status }: KubeObject): number | undefined {
  const generation = /^(\d+)-/.exec(status?.syncedResourceVersion ?? "")?.[1];
  return generation === undefined ? undefined : Number(generation);
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
