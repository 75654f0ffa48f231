/** `circl deploy`: brings a cluster to what dist says, stage by stage, and puts back what was there where a step fails. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openCluster } from "../../connect/cluster.ts";
import type { Cluster } from "../../deploy/cluster.ts";
import { type Comparison, hasChanges, isBlocked } from "../../deploy/comparison.ts";
import { readRecord } from "../../deploy/journal.ts";
import { compareLive } from "../../deploy/live-comparison.ts";
import { factsOf } from "../../deploy/nats-state.ts";
import type { KubeObject } from "../../deploy/object.ts";
import { type Obstacle, preflight, targetObstacles } from "../../deploy/preflight.ts";
import { lastDone } from "../../deploy/record.ts";
import { applied } from "../../deploy/step.ts";
import type { Plan } from "../../jetstream/plan.ts";
import type { Model } from "../../model/resolve.ts";
import { confirmed } from "../confirm.ts";
import { deploy } from "../deploying.ts";
import { type DeploymentOptions, type NatsServers, natsServers } from "../deployment.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { UsageError } from "../failures.ts";
import { currentCommit, type Manifests, manifestsIn, manifestsOf } from "../manifest-source.ts";
import { comparisonJson, renderComparison } from "../output/comparison.ts";
import { deploymentMarkdown, deploymentSummary, renderObstacles } from "../output/deployment.ts";
import { renderPlan } from "../output/plan.ts";
import { log, lookOf, print, printJson } from "../output/terminal.ts";
import { applyStreams, planStreams, plansChanges, type StreamOptions } from "../stream-step.ts";
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
  const misplaced = targetObstacles(model.environment, context);
  if (misplaced.length > 0) return refused(misplaced);
  const commit = options.commit ?? currentCommit(root);
  if (!commit) throw new UsageError("of which commit is this? Give --commit SHA: the way back is found by it");
  const manifests = manifestsIn(options.dist ?? join(root, "dist"), name);

  await using cluster = await openCluster(context);
  using servers = natsServers(model, options, cluster);
  const before = await lookFirst({ model, cluster, servers, manifests, commit, options, root });
  if ("obstacles" in before) return refused(before.obstacles);
  const { comparison, plan, notes } = before;
  const tell = options.json ? log : print;
  tell(renderComparison(comparison, lookOf(process.stdout)));
  if (plan) tell(`\n${renderPlan(plan, lookOf(process.stdout))}`);
  for (const note of notes) log(`note: ${note}`);

  const withheld = plan ? withheldBy(plan, options) : [];
  if (isBlocked(comparison.changes) || withheld.length > 0) {
    if (options.json) printJson(comparisonJson(comparison));
    log(
      `Nothing was applied.${withheld.length > 0 ? missingLeave(withheld) : " What is marked with ! must be settled first."}`,
    );
    return exitCodes.blocked;
  }
  if (options.dryRun) {
    if (options.json) printJson({ ...comparisonJson(comparison), dryRun: true });
    return exitCodes.done;
  }
  const changing = hasChanges(comparison.changes, options.prune === true) || !plan || plansChanges(plan);
  if (changing && !options.autoApprove && !(await confirmed(`Deploy this to ${context}?`, "Nothing was applied"))) {
    return exitCodes.blocked;
  }
  await makeNamespaces(cluster, manifests.objects);
  const run = await deploy({
    ...{ model, cluster, servers, manifests, commit, options, root },
    changes: comparison.changes,
    applyStreams: (...step) => applyStreams({ model, options, servers }, ...step),
  });
  if (options.report) writeFileSync(options.report, deploymentMarkdown(run, comparison, lookOf(process.stderr)));
  if (options.json) printJson({ formatVersion: 1, environment: name, ...run, diff: comparisonJson(comparison) });
  else print(deploymentSummary(run));
  return run.result === "done"
    ? exitCodes.done
    : run.result === "interrupted"
      ? exitCodes.interrupted
      : exitCodes.problems;
}

interface Task {
  readonly model: Model;
  readonly cluster: Cluster;
  readonly servers: NatsServers;
  readonly manifests: Manifests;
  readonly commit: string;
  readonly options: DeployOptions;
  readonly root: string;
}

interface Findings {
  readonly comparison: Comparison;
  /** Missing while there are no servers to ask. */
  readonly plan?: Plan;
  readonly notes: readonly string[];
}

/** Everything that can be known before the first write. */
async function lookFirst(task: Task): Promise<Findings | { readonly obstacles: readonly Obstacle[] }> {
  const { model, cluster, servers, manifests, commit, options, root } = task;
  const { environment } = model;
  const { objects } = manifests;
  const asked = await preflight({ cluster, environment, declared: objects, prune: options.prune === true });
  const obstacles = [...asked, ...commitObstacles(manifests, commit, environment.name, root)];
  const running = await serversRunning(cluster, environment.kubernetes.namespace);
  let plan: Plan | undefined;
  let facts = {};
  if (running !== "none") {
    try {
      plan = await planStreams(model, options, servers);
      facts = factsOf(await servers.observe());
    } catch (error) {
      const { name, message } = error as Error;
      if (!["ConnectionFailure", "ApiError", "WrongCluster"].includes(name)) throw error;
      // Broken servers are what a deploy may be for; of healthy ones silence means that the deploy could not finish.
      if (running === "all" || name === "WrongCluster") obstacles.push({ says: `NATS: ${message}`, hint: "" });
    }
  }
  if (obstacles.length > 0) return { obstacles };
  const changes = await compareLive(cluster, environment.name, objects, facts);
  const comparison = { environment: environment.name, with: `the cluster of ${cluster.context}`, changes };
  const notes = [...(plan ? [] : ["streams are planned once the servers answer"]), ...(await wayBackNotes(task))];
  return { comparison, notes, ...(plan ? { plan } : {}) };
}

/** The commit says what to go back to one day: it must be the one that these manifests are of, where git can tell. */
function commitObstacles({ digest }: Manifests, commit: string, environment: string, root: string): Obstacle[] {
  const committed = manifestsOf(commit, environment, root);
  return committed === undefined || committed.digest === digest
    ? []
    : [
        {
          says: `the manifests are not those of commit ${commit}`,
          hint: `Commit dist/${environment} first, or name the commit that they are of with --commit.`,
        },
      ];
}

async function serversRunning(cluster: Cluster, namespace: string): Promise<"none" | "some" | "all"> {
  const live = await cluster.get({ apiVersion: "apps/v1", kind: "StatefulSet", name: "nats", namespace });
  const ready: number = live?.status?.readyReplicas ?? 0;
  return ready === 0 ? "none" : ready < live?.spec.replicas ? "some" : "all";
}

/** What stands in the way of a way back: said before, not found out at the worst moment. */
async function wayBackNotes({ model, cluster, manifests, options, root }: Task): Promise<string[]> {
  const { name, kubernetes } = model.environment;
  const last = lastDone(await readRecord(cluster, kubernetes.namespace));
  if (!last) return ["nothing is recorded as deployed: a step that fails is not rolled back"];
  if (last.digest === manifests.digest || options.previous) return [];
  return manifestsOf(last.commit, name, root)
    ? []
    : [
        `a step that fails is not rolled back: dist/${name} of commit ${last.commit} is not in this clone, and --previous is not given`,
      ];
}

function refused(obstacles: readonly Obstacle[]): ExitCode {
  log(renderObstacles(obstacles, lookOf(process.stderr)));
  return exitCodes.problems;
}

/** The record lies in one of them, so they come before everything else. */
async function makeNamespaces(cluster: Cluster, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects.filter(({ kind }) => kind === "Namespace")) applied(await cluster.apply(object), object);
}
