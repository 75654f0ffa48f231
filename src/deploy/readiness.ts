/** Waits for what operators make of our objects: Secrets and certificates. */
import { type Cluster, referenceOf } from "./cluster.ts";
import { type KubeObject, titleOf } from "./object.ts";
import type { Waiting } from "./waiting.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

const AWAITED = ["ExternalSecret", "Certificate"];

/** Why an operator is not done with an object as it is now; undefined where it is. */
export function whyNotDone(object: KubeObject | undefined): string | undefined {
  if (!object) return "it is gone";
  const { metadata, status = {} } = object;
  const ready = ((status.conditions ?? []) as readonly Condition[]).find(({ type }) => type === "Ready");
  if (!ready) return "its operator has said nothing: does it run, and does it watch this namespace?";
  if (ready.status !== "True") return ready.message || "it is not ready";
  // Ready speaks of the generation that the operator last saw.
  const seen =
    ready.observedGeneration ?? Number(/^(\d+)-/.exec(status.syncedResourceVersion ?? "")?.[1] ?? Number.NaN);
  return seen < (metadata.generation ?? 0) ? "its last change is not taken up yet" : undefined;
}

/** @throws StepFailure that names everything that is not ready when patience is at its end */
export async function awaitSecrets(
  cluster: Cluster,
  declared: readonly KubeObject[],
  waiting: Waiting,
  patience: number,
): Promise<number> {
  const awaited = declared.filter(({ kind }) => AWAITED.includes(kind));
  const problems = async () => {
    const found = await Promise.all(
      awaited.map(async (object) => {
        const why = whyNotDone(await cluster.get(referenceOf(object)));
        return why ? [`${titleOf(object)} in ${object.metadata.namespace}: ${why}`] : [];
      }),
    );
    return found.flat();
  };
  let last: readonly string[] = [];
  await waiting.until(
    async () => {
      last = await problems();
      return last.length === 0 ? true : undefined;
    },
    patience,
    async () => last.join("\n"),
  );
  return awaited.length;
}
