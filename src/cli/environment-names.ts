import type { Definitions } from "../model/resolve.ts";
import { nearest } from "../rules/shape.ts";
import { UsageError } from "./failures.ts";

/** The environments that `asked` names, in the order of their definition; all of them where it names none. */
export function chooseEnvironments(asked: readonly string[], { environments }: Definitions): string[] {
  const known = Object.keys(environments);
  for (const name of asked) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new UsageError(
      `there is no environment "${name}"${near ? ` (Did you mean ${near}?)` : ""}. There are: ${known.join(", ")}`,
    );
  }
  return asked.length === 0 ? known : known.filter((name) => asked.includes(name));
}
