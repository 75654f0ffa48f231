/** A cluster whose API server may be away for a moment: questions and writes are repeated until it answers. */
import type { Cluster } from "./cluster.ts";
import type { Waiting } from "./waiting.ts";

/**
 * Every write but one may be repeated without harm. The exception is to take a pod away: the second request could meet its
 * successor, so whoever does that looks before it asks again.
 *
 * @param onWrite told of every write that was taken, or that may have been: its answer was lost
 */
export function patient(cluster: Cluster, waiting: Waiting, onWrite: () => void = () => {}): Cluster {
  const insist = async <T>(ask: () => Promise<T>): Promise<T> => {
    const { answer } = await waiting.until(
      async () => ({ answer: await ask() }),
      0,
      async () => "no answer",
    );
    return answer;
  };
  const noted = async <T>(write: () => Promise<T>): Promise<T> => {
    onWrite();
    return await write();
  };
  return {
    context: cluster.context,
    version: () => insist(() => cluster.version()),
    knows: (kind) => insist(() => cluster.knows(kind)),
    may: (right) => insist(() => cluster.may(right)),
    get: (reference) => insist(() => cluster.get(reference)),
    list: (kind, where) => insist(() => cluster.list(kind, where)),
    apply: (object, options) =>
      insist(async () => {
        try {
          const result = await cluster.apply(object, options);
          if (result.outcome === "taken" && !options?.dryRun) onWrite();
          return result;
        } catch (error) {
          if (!options?.dryRun) onWrite();
          throw error;
        }
      }),
    patch: (reference, patch) => insist(() => noted(() => cluster.patch(reference, patch))),
    remove: (reference, options) => {
      const remove = () => noted(() => cluster.remove(reference, options));
      return reference.kind === "Pod" ? remove() : insist(remove);
    },
  };
}
