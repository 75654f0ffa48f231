/** `circl apply`: brings a live cluster to what the plan says, after one yes and with leave for what cannot be undone. */
import { createInterface } from "node:readline/promises";
import { openWriter } from "../../connect/nats.ts";
import { apply, type Outcome } from "../../jetstream/apply.ts";
import { type Plan, plan, type Verdict } from "../../jetstream/plan.ts";
import { policy } from "../../rules/changes.ts";
import { type ConnectionOptions, targetOf } from "../connection.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { renderOutcome, renderPlan } from "../output/plan.ts";
import { log, lookOf, print } from "../output/terminal.ts";
import { soundModel } from "./plan.ts";

export interface ApplyOptions extends ConnectionOptions {
  readonly autoApprove?: boolean;
  readonly allowLoss?: readonly string[];
  readonly allowIrreversible?: readonly string[];
}

/** Milliseconds for a stream to have a leader and all its replicas current. */
const READY_TIMEOUT = 120_000;

export async function run(name: string, options: ApplyOptions): Promise<ExitCode> {
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  await using writer = await openWriter(targetOf(options));
  const planned = await plan(model, writer, policy, Date.now() * 1e6);
  print(renderPlan(planned, lookOf(process.stdout)));
  if (planned.summary.create + planned.summary.update + planned.summary.blocked === 0) return exitCodes.done;

  const withheld = withheldBy(planned, options);
  if (withheld.length > 0) {
    log(`Nothing was applied.${missingLeave(withheld)}`);
    return exitCodes.blocked;
  }
  if (!options.autoApprove && !(await confirmed())) return exitCodes.blocked;

  const interrupts = countInterrupts();
  const total = planned.summary.create + planned.summary.update;
  let count = 0;
  const outcome = await apply(planned, writer, {
    interrupted: () => interrupts.count > 0,
    progress: (asset, action) => log(`${++count}/${total} ${action === "create" ? "created" : "updated"} ${asset}`),
    readyTimeout: READY_TIMEOUT,
  });
  interrupts.stop();
  print(renderOutcome(outcome));
  return exitCodeOf(outcome, interrupts.count > 0);
}

/** Verdicts that stop the apply: nothing gives leave, or the leave was not given by name. */
function withheldBy({ changes }: Plan, { allowLoss = [], allowIrreversible = [] }: ApplyOptions): Verdict[] {
  const given = new Set([
    ...allowLoss.map((asset) => `--allow-loss ${asset}`),
    ...allowIrreversible.map((asset) => `--allow-irreversible ${asset}`),
  ]);
  return changes
    .flatMap(({ verdicts }) => verdicts)
    .filter(({ severity, leave }) => severity === "error" && !(leave !== undefined && given.has(leave)));
}

const missingLeave = (withheld: readonly Verdict[]): string => {
  const options = [...new Set(withheld.flatMap(({ leave }) => leave ?? []))];
  const blocked = withheld.some(({ leave }) => leave === undefined);
  return (
    (blocked ? " Changes marked with ! are refused by the server." : "") +
    (options.length > 0 ? ` To give leave: ${options.join(" ")}` : "")
  );
};

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    log("Nothing was applied: there is nobody to ask. Give --auto-approve where that is meant.");
    return false;
  }
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await dialogue.question('Apply this? Only "yes" is taken: ');
  dialogue.close();
  if (answer === "yes") return true;
  log("Nothing was applied.");
  return false;
}

/** The first Ctrl-C lets the changes in flight finish; the second ends the process. */
function countInterrupts() {
  const state = { count: 0, stop: () => process.off("SIGINT", note) };
  const note = () => {
    state.count += 1;
    if (state.count > 1) process.exit(exitCodes.interrupted);
    log("Finishing the changes in flight; Ctrl-C again ends at once.");
  };
  process.on("SIGINT", note);
  return state;
}

function exitCodeOf({ failed }: Outcome, interrupted: boolean): ExitCode {
  if (failed.length > 0) return exitCodes.problems;
  return interrupted ? exitCodes.interrupted : exitCodes.done;
}
