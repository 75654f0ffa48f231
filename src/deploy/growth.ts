/** Lets the volumes of a StatefulSet grow: a claim template cannot be changed, so the claims are, and the set is made anew around its pods. */
import { type Cluster, type Reference, referenceOf } from "./cluster.ts";
import { conditionOf, type KubeObject } from "./object.ts";
import { growthObstacles, type Obstacle } from "./preflight.ts";
import { quantityOf } from "./quantity.ts";
import { growingClaims, podNames } from "./stateful-set-impact.ts";
import { StepFailure } from "./step.ts";
import type { Waiting } from "./waiting.ts";

interface GrowthInput {
  readonly cluster: Cluster;
  readonly patience: number;
  readonly waiting: Waiting;
  /** The same, and Ctrl-C does not end it. */
  readonly insisting: Waiting;
  readonly say: (text: string) => void;
}

const CLAIM = { apiVersion: "v1", kind: "PersistentVolumeClaim" } as const;

/**
 * Grows every claim whose template asks for more, and takes the StatefulSet away without its pods; the apply that follows finds them
 * by its selector. Interrupted anywhere it is simply done again: claims that have grown stay so.
 *
 * @returns whether anything had to grow
 * @throws StepFailure where a class does not let its claims grow, or a disk does not
 */
export async function growVolumes(live: KubeObject, declared: KubeObject, input: GrowthInput): Promise<boolean> {
  const { cluster, waiting, insisting, patience, say } = input;
  const wanted = wantedClaims(live, declared);
  if (wanted.length === 0) return false;
  const { name, namespace = "" } = declared.metadata;
  const obstacles = await whatForbidsGrowth(live, declared, cluster);
  if (obstacles.length > 0) throw new StepFailure(obstacles.map(({ says, hint }) => `${says}. ${hint}`).join(" "));
  for (const { reference, to } of wanted) {
    const claim = await cluster.get(reference);
    // A pod that never ran has no claim yet; the new template makes it in its new size.
    if (!claim || quantityOf(claim.spec.resources.requests.storage) >= quantityOf(to)) continue;
    await cluster.patch(reference, { spec: { resources: { requests: { storage: to } } } });
    say(`${reference.name} is to grow to ${to}`);
  }
  for (const { reference, to } of wanted) {
    await waiting.until(
      async () => {
        const claim = await cluster.get(reference);
        return !claim || hasGrown(claim, to) ? true : undefined;
      },
      patience,
      async () =>
        `${reference.name} does not grow to ${to}: kubectl describe pvc ${reference.name} -n ${namespace} says why`,
    );
  }
  await cluster.remove(referenceOf(declared), { orphan: true });
  // Its pods are nobody's until the apply that follows: who stopped here would leave them so.
  await insisting.until(
    async () => ((await cluster.get(referenceOf(declared))) ? undefined : true),
    patience,
    async () => `StatefulSet ${name} does not go, without its pods`,
  );
  return true;
}

/** Claims whose classes do not let them grow as `declared` wants it: to be known before anything is applied. */
export async function whatForbidsGrowth(
  live: KubeObject,
  declared: KubeObject,
  cluster: Cluster,
): Promise<readonly Obstacle[]> {
  const claims = await Promise.all(wantedClaims(live, declared).map(({ reference }) => cluster.get(reference)));
  return await growthObstacles(
    cluster,
    claims.filter((claim) => claim !== undefined),
  );
}

/** Every claim whose template asks for more, and what it is to have. */
const wantedClaims = (
  live: KubeObject,
  declared: KubeObject,
): readonly { readonly reference: Reference; readonly to: string }[] =>
  growingClaims(live, declared).flatMap(({ name: template, to }) =>
    podNames(declared.metadata.name, live.spec.replicas).map((pod) => ({
      reference: { ...CLAIM, name: `${template}-${pod}`, namespace: declared.metadata.namespace ?? "" },
      to,
    })),
  );

/** The disk has its size; some file systems grow only when their pod starts again. */
const hasGrown = (claim: KubeObject, to: string): boolean =>
  quantityOf(claim.status?.capacity?.storage ?? "0") >= quantityOf(to) ||
  conditionOf(claim, "FileSystemResizePending")?.status === "True";
