/** `circl deploy`: brings a cluster to what dist says, stage by stage, and puts back what was there where a step fails. */
import { accessSync, constants, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openCluster } from "../../connect/cluster.ts";
import { hasChanges, isBlocked } from "../../deploy/comparison.ts";
import { targetObstacles } from "../../deploy/preflight.ts";
import { confirmed } from "../confirm.ts";
import { deploy } from "../deploying.ts";
import { type DeploymentOptions, natsServers, patienceOf } from "../deployment.ts";
import { exitCodeOfRun } from "../deployment-run.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { UsageError } from "../failures.ts";
import { type FirstLook, lookFirst } from "../first-look.ts";
import { currentCommit, manifestsIn } from "../manifest-source.ts";
import { comparisonJson, renderComparison } from "../output/comparison.ts";
import { deploymentMarkdown, deploymentSummary } from "../output/deployment.ts";
import { renderPlan } from "../output/plan.ts";
import { log, lookOf, plainLook, print, printJson } from "../output/terminal.ts";
import { applyStreams, planStreams, plansChanges, type StreamOptions } from "../stream-step.ts";
import { type Outlets, orRefused, refused, tellUntouched } from "../untouched.ts";
import { missingLeave, withheldBy } from "./apply.ts";
import { soundModel } from "./plan.ts";

export interface DeployOptions extends DeploymentOptions, Omit<StreamOptions, "kubectl"> {
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly json?: boolean;
  /** File for a Markdown report. */
  readonly report?: string;
  readonly commit?: string;
  /** @default dist of this repository */
  readonly dist?: string;
  /** Folder of the manifests that the cluster has now, where git does not have them. */
  readonly previous?: string;
}

export async function run(name: string, options: DeployOptions, root: string): Promise<ExitCode> {
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  const context = options.kubectl;
  if (!context) throw new UsageError(`deploy where? Give --kubectl ${model.environment.kubernetes.context}`);
  // What only shows at the end, when the cluster is another one, is asked at the beginning.
  patienceOf(options);
  if (options.report) assertWritable(options.report);
  const misplaced = targetObstacles(model.environment, context);
  if (misplaced.length > 0) return refused(outletsOf(name, options), misplaced);
  const commit = options.commit ?? currentCommit(root);
  if (!commit) throw new UsageError("of which commit is this? Give --commit SHA: the way back is found by it");
  const manifests = manifestsIn(options.dist ?? join(root, "dist"), name);

  await using cluster = await openCluster(context);
  using servers = natsServers(model, options, cluster);
  const task = { model, cluster, servers, manifests, commit, root, options };
  return await deployTo({ ...task, planStreams: () => planStreams(model, options, servers) }, confirmed);
}

interface ShownTask extends FirstLook {
  readonly options: DeployOptions;
}

/** Looks, shows, asks and deploys. @param confirm as `confirmed` */
export async function deployTo(task: ShownTask, confirm: typeof confirmed): Promise<ExitCode> {
  const outlets = outletsOf(task.model.environment.name, task.options);
  return await orRefused(outlets, () => lookAndDeploy(task, outlets, confirm));
}

async function lookAndDeploy(task: ShownTask, outlets: Outlets, confirm: typeof confirmed): Promise<ExitCode> {
  const { model, cluster, servers, options } = task;
  const before = await lookFirst(task);
  if ("obstacles" in before) return refused(outlets, before.obstacles);
  const { comparison, plan, notes } = before;
  const tell = options.json ? log : print;
  tell(renderComparison(comparison, lookOf(process.stdout)));
  if (plan) tell(`\n${renderPlan(plan, lookOf(process.stdout))}`);
  for (const note of notes) log(`note: ${note}`);

  const withheld = plan ? withheldBy(plan, options) : [];
  if (isBlocked(comparison.changes) || withheld.length > 0) {
    const why = withheld.length > 0 ? missingLeave(withheld).trim() : "What is marked with ! must be settled first.";
    log(`Nothing was applied. ${why}`);
    tellUntouched(outlets, { comparison, says: [why] });
    return exitCodes.blocked;
  }
  if (options.dryRun) {
    tellUntouched(outlets, { comparison, says: ["It was a dry run."], dryRun: true });
    return exitCodes.done;
  }
  const changing = hasChanges(comparison.changes, options.prune === true) || !plan || plansChanges(plan);
  const question = `Deploy this to ${cluster.context}?`;
  if (changing && !options.autoApprove && !(await confirm(question, "Nothing was applied"))) {
    tellUntouched(outlets, { comparison, says: ["Nobody said yes."] });
    return exitCodes.blocked;
  }
  const run = await deploy({
    ...task,
    changes: comparison.changes,
    applyStreams: (...step) => applyStreams({ model, options, servers }, ...step),
  });
  if (options.report) writeFileSync(options.report, deploymentMarkdown(run, comparison, plainLook));
  const { environment } = outlets;
  if (options.json) printJson({ formatVersion: 1, environment, ...run, diff: comparisonJson(comparison) });
  else print(deploymentSummary(run));
  return exitCodeOfRun(run);
}

const outletsOf = (environment: string, { report, json }: DeployOptions): Outlets => ({ environment, report, json });

/** @throws UsageError where a file could not be written there */
function assertWritable(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    throw new UsageError(`--report ${file} cannot be written: ${(error as Error).message}`);
  }
}
