/** `circl apply`: brings a live cluster to what the plan says, after one yes and with leave for what cannot be undone. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { openWriter } from "../../connect/nats.ts";
import type { Writer } from "../../jetstream/api.ts";
import { apply, type Outcome } from "../../jetstream/apply.ts";
import { type Plan, plan, type Verdict } from "../../jetstream/plan.ts";
import { movedSince, type PlanFile, readPlanFile, scopeIn, toPlanFile } from "../../jetstream/plan-file.ts";
import { policy } from "../../rules/changes.ts";
import { confirmed } from "../confirm.ts";
import { reach } from "../connection.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { UsageError } from "../failures.ts";
import { countInterrupts } from "../interrupts.ts";
import { applyJson, renderOutcome, renderPlan } from "../output/plan.ts";
import { progressOn } from "../output/progress.ts";
import { log, lookOf, print, printJson } from "../output/terminal.ts";
import { visible } from "../output/visible.ts";
import { type PlanOptions, scopeOf, soundModel } from "./plan.ts";

/** Leave for what cannot be undone, by name. */
export interface LeaveOptions {
  readonly allowLoss?: readonly string[];
  readonly allowIrreversible?: readonly string[];
  readonly allowDelete?: readonly string[];
}

export interface ApplyOptions extends PlanOptions, LeaveOptions {
  readonly autoApprove?: boolean;
  /** A plan that was reviewed: applied if it still holds. */
  readonly plan?: string;
  /** Seconds. */
  readonly lockTimeout: string;
  /** Seconds for a stream to have a leader and all its replicas current. */
  readonly readyTimeout: string;
}

export async function run(name: string, options: ApplyOptions): Promise<ExitCode> {
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  const saved = options.plan ? planIn(options.plan) : undefined;
  const waits = {
    lockWait: milliseconds("--lock-timeout", options.lockTimeout),
    readyTimeout: milliseconds("--ready-timeout", options.readyTimeout),
  };
  await using reached = await reach(options, model.environment);
  await using writer = await openWriter(reached.target);
  const scope = saved ? scopeIn(saved) : scopeOf(model, options);
  const planned = await plan(model, writer, policy, Date.now() * 1e6, scope);
  const moved = saved ? movedSince(saved, toPlanFile(planned, model, scope)) : [];
  if (moved.length > 0) {
    log(
      `Nothing was applied: ${options.plan} no longer holds.\n${moved.map((what) => visible(`- ${what}`)).join("\n")}\nPlan again.`,
    );
    return exitCodes.problems;
  }
  if (options.json) log(renderPlan(planned, lookOf(process.stderr)));
  else print(renderPlan(planned, lookOf(process.stdout)));
  const { code, outcome } = await carriedOut(planned, writer, waits, options);
  if (options.json) printJson(applyJson(planned, outcome));
  else if (outcome) print(renderOutcome(outcome));
  const unasked = unaskedIn(planned);
  if (code !== exitCodes.done || unasked.length === 0) return code;
  log(
    visible(
      `${unasked.join(", ")} cannot be asked, and nothing of that was applied. Apply again once its servers are back.`,
    ),
  );
  return exitCodes.blocked;
}

/** Applies what is left to do where leave is given, and once somebody says yes. Without an outcome nothing was applied. */
async function carriedOut(
  planned: Plan,
  writer: Writer,
  times: { readonly lockWait: number; readonly readyTimeout: number },
  options: ApplyOptions,
): Promise<{ readonly code: ExitCode; readonly outcome?: Outcome }> {
  const { create, update, recreate, delete: deleted, blocked } = planned.summary;
  const total = create + update + recreate + deleted;
  if (total + blocked === 0) return { code: exitCodes.done };

  const withheld = withheldBy(planned, options);
  if (withheld.length > 0) {
    log(`Nothing was applied.${missingLeave(withheld)}`);
    return { code: exitCodes.blocked };
  }
  if (!options.plan && !options.autoApprove && !(await confirmed("Apply this?", "Nothing was applied")))
    return { code: exitCodes.blocked };

  const progress = progressOn(process.stderr, total);
  const interrupts = countInterrupts("Finishing the changes in flight", progress.say);
  try {
    const outcome = await apply(planned, writer, {
      holder: holder(),
      ...times,
      waits: (says) => progress.say(visible(says)),
      interrupted: interrupts.interrupted,
      progress: progress.step,
    });
    return { code: exitCodeOf(outcome, interrupts.interrupted()), outcome };
  } finally {
    progress.stop();
    interrupts.stop();
  }
}

/** @param seconds as it was given @throws UsageError for what is no time */
function milliseconds(option: string, seconds: string): number {
  const wait = Number(seconds) * 1_000;
  if (!(wait >= 0)) throw new UsageError(`${option} is "${seconds}", expected seconds`);
  return wait;
}

/** @throws UsageError for a file that is no plan */
function planIn(file: string): PlanFile {
  try {
    return readPlanFile(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

/** Verdicts that stop the apply: nothing gives leave, or the leave was not given by name. */
export function withheldBy({ changes }: Plan, options: LeaveOptions): Verdict[] {
  const { allowLoss = [], allowIrreversible = [], allowDelete = [] } = options;
  const given = new Set([
    ...allowLoss.map((asset) => `--allow-loss ${asset}`),
    ...allowIrreversible.map((asset) => `--allow-irreversible ${asset}`),
    ...allowDelete.map((asset) => `--allow-delete ${asset}`),
  ]);
  return changes
    .flatMap(({ verdicts }) => verdicts)
    .filter(({ severity, leave }) => severity === "error" && !(leave !== undefined && given.has(leave)));
}

/** Names of declared assets that cannot be asked now: nobody knows whether they are as they should be. */
export function unaskedIn({ changes, basis }: Pick<Plan, "changes" | "basis">): string[] {
  const declared = new Set(
    basis.model.streams.flatMap(({ name, consumers }) => [name, ...consumers.map((one) => `${name}/${one.name}`)]),
  );
  return changes
    .filter(({ change }) => change.action === "unknown" && declared.has(change.name))
    .map(({ change }) => change.name);
}

export const missingLeave = (withheld: readonly Verdict[]): string => {
  const options = [...new Set(withheld.flatMap(({ leave }) => leave ?? []))];
  const blocked = withheld.some(({ leave }) => leave === undefined);
  return (
    (blocked ? " Changes marked with ! are refused by the server." : "") +
    (options.length > 0 ? ` To give leave: ${options.join(" ")}` : "")
  );
};

/** 1 for failures and for what a lost lock left undone, 130 after Ctrl-C. */
export function exitCodeOf({ failed, notStarted }: Outcome, interrupted: boolean): ExitCode {
  if (failed.length > 0) return exitCodes.problems;
  if (interrupted) return exitCodes.interrupted;
  // Nothing failed and nobody interrupted: the lock was lost.
  return notStarted.length > 0 ? exitCodes.problems : exitCodes.done;
}

/** Who applies, for those who wait. Containers often run as a user that has no name. */
function holder(): string {
  const run = process.env.GITHUB_RUN_ID ? ` (run ${process.env.GITHUB_RUN_ID})` : "";
  return `${process.env.USER ?? process.env.LOGNAME ?? `uid ${process.getuid?.() ?? "unknown"}`}@${hostname()}${run}`;
}
