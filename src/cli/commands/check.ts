/** `circl check`: everything that is wrong or doubtful, and nothing written. */
import type { App } from "cdk8s";
import { buildApp } from "../../app.ts";
import type { Definitions, Model } from "../../model/resolve.ts";
import { checkManifests } from "../../rules/index.ts";
import { sortProblems } from "../../rules/rule.ts";
import { definitions } from "../definitions.ts";
import { chooseEnvironments } from "../environment-names.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { errorsOf, type Inspection, inspect, type SharedProblem, shareProblems } from "../inspection.ts";
import { checkJson, renderCheck } from "../output/problems.ts";
import { lookOf, print, printJson } from "../output/terminal.ts";

export interface CheckOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export async function run(names: readonly string[], { json, verbose = false }: CheckOptions): Promise<ExitCode> {
  const report = check(definitions, chooseEnvironments(names, definitions));
  if (json) printJson(checkJson(report));
  else print(renderCheck(report, verbose, lookOf(process.stdout)));
  return errorsOf(report.problems).length > 0 ? exitCodes.problems : exitCodes.done;
}

export interface CheckReport {
  readonly environments: readonly string[];
  readonly problems: readonly SharedProblem[];
  /** Environments where not all rules ran, because errors left nothing to run them on. */
  readonly unfinished: readonly string[];
}

/** An inspection that went on to the manifests. */
export interface Build extends Inspection {
  /** Missing where there is no model, or errors in it made building fail. */
  readonly app?: App;
}

export function check(definitions: Definitions, environments: readonly string[]): CheckReport {
  return toReport(environments.map((environment) => checkBuild(environment, definitions, environment)));
}

export const toReport = (builds: readonly Build[]): CheckReport => ({
  environments: builds.map(({ environment }) => environment),
  problems: shareProblems(builds),
  unfinished: builds.filter(({ app }) => !app).map(({ environment }) => environment),
});

/** Runs all rules on `environment`, those on manifests too. The app is built for the folder `outdir`; nothing is written. */
export function checkBuild(environment: string, definitions: Definitions, outdir: string): Build {
  const inspection = inspect(environment, definitions);
  const { model, problems } = inspection;
  if (!model) return inspection;
  const app = tryBuild(model, outdir, errorsOf(problems).length > 0);
  if (!app) return inspection;
  const objects = app.charts.flatMap((chart) => chart.toJson());
  return { ...inspection, app, problems: sortProblems([...problems, ...checkManifests({ model, objects })]) };
}

/** What breaks a rule may be impossible to build, and the rule says it better; without errors a failure is a bug. */
function tryBuild(model: Model, outdir: string, mayFail: boolean): App | undefined {
  try {
    return buildApp(model, outdir);
  } catch (error) {
    if (mayFail) return undefined;
    throw error;
  }
}
