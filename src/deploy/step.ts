/** One step of a deploy that did not come to its end. */
import type { Applied } from "./cluster.ts";
import { type KubeObject, titleOf } from "./object.ts";

/** The cluster answers, and the step failed: what was there before is put back. */
export class StepFailure extends Error {
  override readonly name = "StepFailure";
}

/** The object as the server has it now. @throws StepFailure where it did not take it */
export function applied(result: Applied, object: KubeObject): KubeObject {
  if (result.outcome === "taken") return result.object;
  const why =
    result.outcome === "conflict"
      ? result.conflicts.map(({ field, owner }) => `${field} belongs to ${owner}`).join("; ")
      : result.says;
  throw new StepFailure(`${titleOf(object)} was not applied: ${why}`);
}
