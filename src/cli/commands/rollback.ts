/** `circl rollback`: puts back the manifests of an earlier commit, where that can be done. */
import { openCluster } from "../../connect/cluster.ts";
import { isBlocked } from "../../deploy/comparison.ts";
import { readRecord } from "../../deploy/journal.ts";
import { compareLive } from "../../deploy/live-comparison.ts";
import { preflight, targetObstacles } from "../../deploy/preflight.ts";
import { type Deployments, previousOf } from "../../deploy/record.ts";
import { confirmed } from "../confirm.ts";
import { type DeploymentOptions, natsServers, patienceOf } from "../deployment.ts";
import { exitCodeOfRun, type Task } from "../deployment-run.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { Failure, UsageError } from "../failures.ts";
import { SETTLING } from "../first-look.ts";
import { type Manifests, manifestsAt, manifestsIn } from "../manifest-source.ts";
import { renderComparison } from "../output/comparison.ts";
import { deploymentSummary } from "../output/deployment.ts";
import { log, lookOf, print, printJson } from "../output/terminal.ts";
import { visible } from "../output/visible.ts";
import { factsForWayBack, putBack, wholenessNotes } from "../putting-back.ts";
import { type Outlets, orRefused, refused, tellUntouched } from "../untouched.ts";
import { soundModel } from "./plan.ts";

export interface RollbackOptions extends DeploymentOptions {
  /** A commit of the history. @default the one before what is there now */
  readonly to?: string;
  /** Folder of its manifests, where git does not have them. */
  readonly previous?: string;
  readonly json?: boolean;
}

export async function run(name: string, options: RollbackOptions, root: string): Promise<ExitCode> {
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  const context = options.kubectl;
  const { environment } = model;
  if (!context) throw new UsageError(`roll back where? Give --kubectl ${environment.kubernetes.context}`);
  patienceOf(options);
  const outlets = { environment: name, json: options.json };
  const misplaced = targetObstacles(environment, context);
  if (misplaced.length > 0) return refused(outlets, misplaced);
  await using cluster = await openCluster(context);
  const begin = async () => {
    const record = await readRecord(cluster, environment.kubernetes.namespace);
    const { commit, manifests } = chosen(record, name, options, root);
    using servers = natsServers(model, options, cluster);
    return await rollBack({ model, cluster, servers, manifests, commit, root }, options, confirmed);
  };
  return await orRefused(outlets, begin, ["Failure", "StepFailure"]);
}

interface RollbackTask extends Task {
  readonly settling?: number;
}

/** Shows what putting back would change, asks, and does it. @param confirm as `confirmed` */
export async function rollBack(
  task: RollbackTask,
  options: RollbackOptions,
  confirm: typeof confirmed,
): Promise<ExitCode> {
  const outlets = { environment: task.model.environment.name, json: options.json };
  return await orRefused(outlets, () => lookAndPutBack(task, options, outlets, confirm));
}

async function lookAndPutBack(
  task: RollbackTask,
  options: RollbackOptions,
  outlets: Outlets,
  confirm: typeof confirmed,
): Promise<ExitCode> {
  const { model, cluster, servers, manifests, commit, settling = SETTLING } = task;
  const { environment } = model;
  const obstacles = await preflight({ cluster, environment, declared: manifests.objects, prune: false });
  if (obstacles.length > 0) return refused(outlets, obstacles);
  const facts = await factsForWayBack(servers);
  const changes = await compareLive(cluster, environment.name, manifests.objects, facts);
  const comparison = { environment: environment.name, with: `the cluster of ${cluster.context}`, changes };
  if (options.json) log(renderComparison(comparison, lookOf(process.stderr)));
  else print(renderComparison(comparison, lookOf(process.stdout)));
  if (isBlocked(changes)) {
    const why = "What is marked with ! must be settled first.";
    log(`Nothing was applied. ${why}`);
    tellUntouched(outlets, { comparison, says: [why] });
    return exitCodes.blocked;
  }
  for (const note of await wholenessNotes(task, options, changes, settling)) log(`note: ${visible(note)}`);
  const question = `Put back commit ${commit} on ${cluster.context}? Streams stay as they are.`;
  if (!options.autoApprove && !(await confirm(question, "Nothing was applied"))) {
    tellUntouched(outlets, { comparison, says: ["Nobody said yes."] });
    return exitCodes.blocked;
  }
  const way = { streamsChanged: [], unasked: false, brought: () => false, facts };
  const done = await putBack(task, options, way);
  if (options.json) printJson({ formatVersion: 1, environment: environment.name, ...done });
  else print(deploymentSummary(done));
  if (done.steps.length === 0 && done.result === "failed") return exitCodes.blocked;
  return exitCodeOfRun(done);
}

/** @throws Failure where the history has no such commit, or its manifests are not the recorded ones */
function chosen(
  deployments: Deployments,
  environment: string,
  { to, previous }: RollbackOptions,
  root: string,
): { readonly commit: string; readonly manifests: Manifests } {
  const entry = to
    ? deployments.find(({ commit, result }) => result === "done" && commit.startsWith(to))
    : previousOf(deployments);
  if (!entry) {
    throw new Failure(
      to
        ? `commit ${to} is not recorded as deployed. circl history ${environment} lists what is.`
        : `there is nothing before what is deployed now. circl history ${environment} lists what is recorded.`,
    );
  }
  const manifests = previous ? manifestsIn(previous, environment) : manifestsAt(entry.commit, environment, root);
  if (manifests.digest !== entry.digest) {
    throw new Failure(
      `${previous ?? `dist/${environment} of commit ${entry.commit}`} is not what was deployed as ${entry.commit}. Give the folder that was, with --previous DIR.`,
    );
  }
  return { commit: entry.commit, manifests };
}
