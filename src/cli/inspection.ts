/** What can be found out about an environment without building anything. */
import { type Definitions, type Model, resolveModel } from "../model/resolve.ts";
import { checkModel } from "../rules/index.ts";
import { type Problem, sortProblems } from "../rules/rule.ts";
import { faultProblems } from "../rules/shape.ts";

export interface Inspection {
  readonly environment: string;
  /** Missing where the definitions have a shape that cannot be read. */
  readonly model?: Model;
  readonly problems: readonly Problem[];
}

export function inspect(environment: string, definitions: Definitions): Inspection {
  const { model, faults } = resolveModel(environment, definitions);
  return model ? { environment, model, problems: checkModel(model) } : { environment, problems: faultProblems(faults) };
}

/** A problem with all the environments that have it. */
export interface SharedProblem extends Problem {
  readonly environments: readonly string[];
}

/** The same problem in several environments is one problem; errors come first. */
export function shareProblems(inspections: readonly Inspection[]): SharedProblem[] {
  const shared = new Map<string, SharedProblem>();
  for (const { environment, problems } of inspections) {
    for (const problem of problems) {
      const key = JSON.stringify([problem.code, problem.place, problem.says, problem.hint]);
      const environments = [...(shared.get(key)?.environments ?? []), environment];
      shared.set(key, { ...problem, environments: [...new Set(environments)] });
    }
  }
  return sortProblems([...shared.values()]) as SharedProblem[];
}

export const errorsOf = <T extends Problem>(problems: readonly T[]): T[] =>
  problems.filter(({ severity }) => severity === "error");
