/** `circl plan`: what an apply would do to a live cluster. Connects with a client that cannot write. */
import { writeFileSync } from "node:fs";
import { openReader } from "../../connect/nats.ts";
import { type Plan, type PlanScope, plan } from "../../jetstream/plan.ts";
import { type PlanFile, toPlanFile } from "../../jetstream/plan-file.ts";
import type { Model } from "../../model/resolve.ts";
import { policy } from "../../rules/changes.ts";
import { nearest } from "../../rules/shape.ts";
import { isDuration, nanoseconds } from "../../units.ts";
import { type ConnectionOptions, reach } from "../connection.ts";
import { definitions } from "../definitions.ts";
import { chooseEnvironments } from "../environment-names.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { Failure, UsageError } from "../failures.ts";
import { planJson, renderPlan } from "../output/plan.ts";
import { planMarkdown } from "../output/plan-markdown.ts";
import { renderProblems } from "../output/problems.ts";
import { log, lookOf, print, printJson } from "../output/terminal.ts";
import { show } from "./show.ts";

export interface PlanOptions extends ConnectionOptions {
  readonly json?: boolean;
  readonly detailedExitcode?: boolean;
  readonly target?: readonly string[];
  readonly allowDelete?: readonly string[];
  readonly recreate?: readonly string[];
  /** For example "7d". */
  readonly retentionStep?: string;
  readonly format?: "text" | "markdown";
  readonly out?: string;
}

export async function run(name: string, options: PlanOptions): Promise<ExitCode> {
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  await using reached = await reach(options, model.environment);
  await using reader = await openReader(reached.target);
  const scope = scopeOf(model, options);
  const planned = await plan(model, reader, policy, Date.now() * 1e6, scope);
  if (options.out) keep(options.out, toPlanFile(planned, model, scope));
  if (options.json) printJson(planJson(planned));
  else if (options.format === "markdown") print(planMarkdown(planned, lookOf(process.stdout)));
  else print(renderPlan(planned, lookOf(process.stdout)));
  return exitCodeOf(planned, options.detailedExitcode === true);
}

/** The model of an environment; definitions that break a rule are said, and never connect. */
export function soundModel(name: string): Model | undefined {
  chooseEnvironments([name], definitions);
  const { model, errors } = show(definitions, name);
  if (!model) log(renderProblems(errors, lookOf(process.stderr)));
  return model;
}

function keep(file: string, plan: PlanFile): void {
  try {
    writeFileSync(file, `${JSON.stringify(plan, null, 2)}\n`);
  } catch (cause) {
    throw new Failure(`the plan was not kept: ${file} cannot be written`, { cause });
  }
}

/** What is looked at and what may go. @throws UsageError for a target that is no stream, and a step that is no duration */
export function scopeOf(
  model: Model,
  { target, allowDelete = [], recreate = [], retentionStep }: PlanOptions,
): PlanScope {
  assertStreams(model, target);
  if (retentionStep !== undefined && !(isDuration(retentionStep) && nanoseconds(retentionStep) > 0)) {
    throw new UsageError(`--retention-step is "${retentionStep}", expected a duration such as "7d"`);
  }
  return {
    deletions: allowDelete,
    recreations: recreate,
    ...(target ? { targets: target } : {}),
    ...(retentionStep === undefined ? {} : { retentionStep: nanoseconds(retentionStep) }),
  };
}

/** @throws UsageError for a target that is no stream */
export function assertStreams(model: Model, targets: readonly string[] = []): void {
  const names = model.streams.map(({ name }) => name);
  for (const name of targets) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    throw new UsageError(`there is no stream "${name}"${near ? ` (Did you mean ${near}?)` : ""}`);
  }
}

/** 3 where something is blocked or needs leave, and with `detailed` where something cannot be asked; else 2 for changes where that was asked for, else 0. */
function exitCodeOf({ changes, summary }: Plan, detailed: boolean): ExitCode {
  if (changes.some(({ verdicts }) => verdicts.some(({ severity }) => severity === "error"))) return exitCodes.blocked;
  // Nobody knows whether there are changes: a check for drift must not be green.
  if (detailed && summary.unknown > 0) return exitCodes.blocked;
  const { create, update, recreate } = summary;
  return detailed && create + update + recreate + summary.delete > 0 ? exitCodes.changes : exitCodes.done;
}
