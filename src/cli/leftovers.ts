/** Objects of ours that the cluster has and the manifests do not. */
import { referenceOf } from "../deploy/cluster.ts";
import { superfluousIn } from "../deploy/live-comparison.ts";
import { type KubeObject, titleOf } from "../deploy/object.ts";
import { pruningOf } from "../deploy/prune.ts";
import type { RunInput } from "../deploy/run.ts";

export interface Leftovers {
  /** Whether a harmless one is to be deleted. */
  readonly wanted: (object: KubeObject) => boolean;
  /** What they all are: "is no longer in dist". */
  readonly why: string;
  /** How one that is harmless, and not wanted away, can go. */
  readonly wayOut: (object: KubeObject) => string;
}

/** Deletes those that are wanted away and hold nothing. @returns what is left for a person */
export async function removeLeftovers(
  { cluster, environment, declared, steps }: RunInput,
  { wanted, why, wayOut }: Leftovers,
): Promise<string[]> {
  const { prunable, kept } = pruningOf(await superfluousIn(cluster, environment, declared));
  // Whoever puts back was not asked for this right before.
  const may = await Promise.all(
    prunable.map(
      async (object) => wanted(object) && (await cluster.may({ verb: "delete", kind: object, ...placeOf(object) })),
    ),
  );
  const going = prunable.filter((_, i) => may[i]);
  if (going.length > 0) {
    await steps.run("prune", async (say) => {
      for (const object of going) {
        await cluster.remove(referenceOf(object));
        say(`${titleOf(object)} in ${object.metadata.namespace} is deleted`);
      }
    });
  }
  return [
    ...prunable
      .filter((object) => !going.includes(object))
      .map((object) => `${titleOf(object)} in ${object.metadata.namespace} ${why}: ${wayOut(object)}`),
    ...kept.map(
      (object) =>
        `${titleOf(object)} in ${object.metadata.namespace ?? "the cluster"} ${why}, and never deleted by circl: decide, and do it by hand`,
    ),
  ];
}

const placeOf = ({ metadata: { namespace } }: KubeObject) => (namespace ? { namespace } : {});
