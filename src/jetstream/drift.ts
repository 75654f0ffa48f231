/** What is there and is not as it is declared. */
import type { Change, FieldChange } from "./diff.ts";

export interface Drift {
  /** One sentence, or none. */
  readonly problems: readonly string[];
  /** From what is live to what is declared; missing where nothing differs. */
  readonly differs?: readonly FieldChange[];
}

export function driftOf(change: Change | undefined): Drift {
  if (change?.action !== "update") return { problems: [] };
  const fields = change.fields.map(({ field }) => field);
  return { problems: [`is not as declared: ${fields.join(", ")}`], differs: change.fields };
}
