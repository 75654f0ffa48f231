/** `circl show`: what an environment's streams come to, without building a manifest. */
import { desiredState } from "../../jetstream/desired.ts";
import type { Definitions, Model } from "../../model/resolve.ts";
import { definitions } from "../definitions.ts";
import { chooseEnvironments } from "../environment-names.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { errorsOf, inspect, type SharedProblem, shareProblems } from "../inspection.ts";
import { renderProblems } from "../output/problems.ts";
import { renderStreams } from "../output/streams.ts";
import { log, lookOf, print, printJson } from "../output/terminal.ts";

export interface ShowOptions {
  readonly json?: boolean;
}

export async function run(name: string, { json }: ShowOptions): Promise<ExitCode> {
  chooseEnvironments([name], definitions);
  const { model, errors } = show(definitions, name);
  if (!model) {
    log(renderProblems(errors, lookOf(process.stderr)));
    return exitCodes.problems;
  }
  if (json) printJson(showJson(model));
  else print(renderStreams(model, lookOf(process.stdout)));
  return exitCodes.done;
}

export interface ShowReport {
  readonly errors: readonly SharedProblem[];
  /** Missing where there are errors: what is wrong is not worth looking at. */
  readonly model?: Model;
}

export function show(definitions: Definitions, environment: string): ShowReport {
  const { model, ...inspection } = inspect(environment, definitions);
  const errors = errorsOf(shareProblems([inspection]));
  return model && errors.length === 0 ? { errors, model } : { errors };
}

/** What `circl show --json` prints: the wire configs as the server takes them. */
export const showJson = (model: Model) => ({
  formatVersion: 1,
  environment: model.environment.name,
  ...desiredState(model),
});
