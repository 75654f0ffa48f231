/** `circl show`: what an environment's streams come to, without building a manifest, and what a change makes of them. */
import { readFileSync } from "node:fs";
import { diffDeclared } from "../../jetstream/declared.ts";
import { type DesiredState, desiredState } from "../../jetstream/desired.ts";
import type { Definitions, Model } from "../../model/resolve.ts";
import { definitions } from "../definitions.ts";
import { chooseEnvironments } from "../environment-names.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { Failure, UsageError } from "../failures.ts";
import { errorsOf, inspect, type SharedProblem, shareProblems } from "../inspection.ts";
import { declaredMarkdown, renderDeclared } from "../output/declared.ts";
import { renderProblems } from "../output/problems.ts";
import { renderStreams } from "../output/streams.ts";
import { log, lookOf, print, printJson } from "../output/terminal.ts";

export interface ShowOptions {
  readonly json?: boolean;
  /** What `--json` printed before. */
  readonly diff?: string;
  readonly format?: "text" | "markdown";
  readonly detailedExitcode?: boolean;
}

export async function run(name: string, options: ShowOptions): Promise<ExitCode> {
  const { json, diff: file, format, detailedExitcode } = options;
  if (format === "markdown" && file === undefined) throw new UsageError("--format markdown needs --diff");
  chooseEnvironments([name], definitions);
  const { model, errors } = show(definitions, name);
  if (!model) {
    log(renderProblems(errors, lookOf(process.stderr)));
    return exitCodes.problems;
  }
  if (file !== undefined) {
    const changes = diffDeclared(readShown(file), desiredState(model));
    print(format === "markdown" ? declaredMarkdown(changes, name) : renderDeclared(changes, name));
    return detailedExitcode && changes.length > 0 ? exitCodes.changes : exitCodes.done;
  }
  if (json) printJson(showJson(model));
  else print(renderStreams(model, lookOf(process.stdout)));
  return exitCodes.done;
}

/** @throws Failure for a file that is none of ours */
function readShown(file: string): DesiredState {
  try {
    const document = JSON.parse(readFileSync(file, "utf8"));
    if (document.formatVersion === 1 && Array.isArray(document.streams) && Array.isArray(document.consumers)) {
      return document as DesiredState;
    }
  } catch (cause) {
    throw new Failure(`${file} cannot be read. Make it: circl show <environment> --json > ${file}`, { cause });
  }
  throw new Failure(`${file} is no document of circl show --json that this version reads (formatVersion 1)`);
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
const showJson = (model: Model) => ({
  formatVersion: 1,
  environment: model.environment.name,
  ...desiredState(model),
});
