/** Why a rollout of NATS would wait in vain. */
import { NATS } from "../kubernetes/names.ts";
import type { ObjectChange } from "./comparison.ts";
import type { Consequence } from "./impact.ts";
import type { Obstacle } from "./preflight.ts";

/** Whether pods of NATS are replaced. */
export const replacesServers = (changes: readonly ObjectChange[]): boolean =>
  consequencesForServers(changes).includes("restart");

const consequencesForServers = (changes: readonly ObjectChange[]): readonly Consequence[] =>
  changes
    .filter(({ kind, name }) => kind === "StatefulSet" && name === NATS.name)
    .flatMap(({ impacts }) => impacts.map(({ consequence }) => consequence));

/**
 * What servers lack that are all ready. No pod is taken away meanwhile, so a deploy that replaces them would wait, and then put
 * everything back. Where volumes grow nothing stands in the way: a full one is what that mends.
 *
 * @param lacking problems of the meta group and of streams
 */
export function rolloutObstacles(
  lacking: readonly string[],
  changes: readonly ObjectChange[],
  environment: string,
): Obstacle[] {
  const consequences = consequencesForServers(changes);
  if (!consequences.includes("restart") || consequences.includes("guided")) return [];
  if (lacking.length === 0) return [];
  return [
    {
      says: `every pod of ${NATS.name} is ready, but NATS is not whole, and none is replaced until it is: ${lacking.join("; ")}`,
      hint: `Replicas that catch up take their time: run this again then. circl status ${environment} shows how far they are, and docs/runbooks has what to do with one that stays away (NatsStreamReplicasMissing, NatsStreamReplicaLagging, NatsNoMetaLeader). What would mend it, deploy by itself first.`,
    },
  ];
}
