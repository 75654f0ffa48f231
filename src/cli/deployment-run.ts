/** One run against a cluster, recorded from its beginning to its end, with the way back where a step fails. */
import type { Cluster } from "../deploy/cluster.ts";
import { referenceOf } from "../deploy/cluster.ts";
import { type Journal, openJournal, readRecord } from "../deploy/journal.ts";
import { compareLive, superfluousIn } from "../deploy/live-comparison.ts";
import { factsOf } from "../deploy/nats-state.ts";
import { titleOf } from "../deploy/object.ts";
import { pruningOf } from "../deploy/prune.ts";
import { lastDone } from "../deploy/record.ts";
import { keepSteps, type Step } from "../deploy/report.ts";
import { applyStages, type RunInput, verifyManifests } from "../deploy/run.ts";
import { tagOf } from "../deploy/stateful-set-impact.ts";
import { StepFailure } from "../deploy/step.ts";
import { waitEvery } from "../deploy/waiting.ts";
import { reasonsAgainst } from "../deploy/way-back.ts";
import { NATS } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import {
  countInterrupts,
  type DeploymentOptions,
  type NatsServers,
  patienceOf,
  progressFrom,
  whoRuns,
} from "./deployment.ts";
import { type Manifests, manifestsIn, manifestsOf } from "./manifest-source.ts";
import { applyStreams, type StreamOptions } from "./stream-step.ts";

export interface Task {
  readonly model: Model;
  readonly cluster: Cluster;
  readonly servers: NatsServers;
  readonly manifests: Manifests;
  readonly commit: string;
  readonly root: string;
}

export interface Run {
  readonly kind: "deploy" | "rollback";
  readonly commit: string;
  /** rolled back: a step failed, and what was there before is there again. */
  readonly result: "done" | "failed" | "rolled back" | "interrupted";
  readonly seconds: number;
  readonly steps: readonly Step[];
  /** What went wrong and what to do now; what is left for a person. */
  readonly says: readonly string[];
}

type DeployTask = Task & {
  readonly options: DeploymentOptions & StreamOptions & { readonly prune?: boolean; readonly previous?: string };
};

/** Applies manifests and streams, verifies both, and puts back what was there where a step fails. */
export async function deploy(task: DeployTask): Promise<Run> {
  const { model, cluster, manifests, options } = task;
  const last = lastDone(await readRecord(cluster, model.environment.kubernetes.namespace));
  let streamsChanged: string[] = [];
  const { failedStep, ...run } = await recorded("deploy", task, options, async (input, interrupted) => {
    await applyStages(input);
    const left = await prune(input, options.prune === true);
    streamsChanged = await applyStreams(model, options, task.servers, input.steps, interrupted);
    await verify(input, task);
    return left;
  });
  if (run.result !== "failed" || !failedStep) return run;
  if (!last || last.digest === manifests.digest) {
    const why = last ? "what was deployed before are the same manifests" : "nothing was deployed before";
    return { ...run, says: [...run.says, `Nothing is rolled back: ${why}. Mend it and deploy again.`] };
  }
  const previous = options.previous
    ? manifestsIn(options.previous, model.environment.name)
    : manifestsOf(last.commit, model.environment.name, task.root);
  if (!previous || previous.digest !== last.digest) {
    const where = options.previous ? `${options.previous} does not hold` : "this clone does not have";
    return {
      ...run,
      says: [
        ...run.says,
        `Nothing is rolled back: ${where} the manifests of ${last.commit}. Where they are, run: circl rollback ${model.environment.name} --kubectl ${cluster.context}`,
      ],
    };
  }
  const target = { ...task, manifests: previous, commit: last.commit };
  const back = await putBack(target, options, { streamsChanged, unasked: true });
  const steps = [...run.steps, ...back.steps];
  const seconds = run.seconds + back.seconds;
  if (back.result === "done") {
    return {
      ...run,
      result: "rolled back",
      steps,
      seconds,
      says: [...run.says, `Commit ${last.commit} is there again, and verified. Streams stay as they are.`],
    };
  }
  return { ...run, steps, seconds, says: [...run.says, ...back.says] };
}

export interface WayBack {
  readonly streamsChanged: readonly string[];
  /** Part of a deploy that failed; else somebody has asked for it. */
  readonly unasked: boolean;
}

/** Applies manifests of before and verifies them; streams stay as they are. Where that cannot be done, nothing is touched. */
export async function putBack(
  task: Task,
  options: DeploymentOptions,
  { streamsChanged, unasked }: WayBack,
): Promise<Run> {
  const { model, cluster, manifests } = task;
  const { namespace } = model.environment.kubernetes;
  const facts = await task.servers.observe().then(factsOf, () => ({}));
  const server = await cluster.get({ apiVersion: "apps/v1", kind: "StatefulSet", name: NATS.name, namespace });
  const reasons = reasonsAgainst({
    changes: await compareLive(cluster, model.environment.name, manifests.objects, facts),
    running: server && tagOf(server),
    declared: manifests.objects,
    streamsChanged,
    unasked,
  });
  if (reasons.length > 0) {
    const says = [
      `Not rolled back to ${task.commit}, because of what cannot be undone:`,
      ...reasons.map((reason) => `- ${reason}`),
    ];
    return { kind: "rollback", commit: task.commit, result: "failed", seconds: 0, steps: [], says };
  }
  const { failedStep: _, ...run } = await recorded("rollback", task, options, async (input) => {
    await applyStages(input);
    await verify(input, task);
    return [];
  });
  return run;
}

type Recorded = Run & { readonly failedStep: boolean };

/** Runs `work` under the record of the cluster, and tells how it ended. */
async function recorded(
  kind: Run["kind"],
  task: Task,
  options: DeploymentOptions,
  work: (input: RunInput, interrupted: () => boolean) => Promise<readonly string[]>,
): Promise<Recorded> {
  const { model, cluster, servers, manifests, commit } = task;
  const { name, kubernetes } = model.environment;
  const patience = patienceOf(options);
  const began = Date.now();
  const steps = keepSteps(progressFrom(began));
  const journal = await openJournal(cluster, kubernetes.namespace, {
    kind,
    commit,
    digest: manifests.digest,
    who: whoRuns(),
  });
  const interrupts = countInterrupts();
  const waiting = waitEvery(2_000, async () => {
    interrupts.check();
    await journal.renew();
  });
  const input: RunInput = {
    cluster,
    environment: name,
    declared: manifests.objects,
    steps,
    waiting,
    patience,
    proven: async (set, pod) => (set === NATS.name ? await servers.problems(pod) : []),
  };
  const end = (result: Run["result"], says: readonly string[], failedStep = false): Recorded => ({
    kind,
    commit,
    result,
    seconds: Math.round((Date.now() - began) / 1_000),
    steps: steps.all,
    says,
    failedStep,
  });
  try {
    const says = await work(input, interrupts.interrupted);
    await journal.close({ result: "done" });
    return end("done", says);
  } catch (error) {
    const { name: what, message } = error as Error;
    if (!["StepFailure", "Interrupted", "ConnectionFailure", "ApiError", "AlreadyRunning", "LockHeld"].includes(what))
      throw error;
    const closed = await close(journal, message);
    const unreachable =
      what === "ConnectionFailure"
        ? [
            "Nothing is rolled back while the cluster cannot be asked. Run the same command again: it goes on from there.",
          ]
        : [];
    return end(
      what === "Interrupted" ? "interrupted" : "failed",
      [message, ...unreachable, ...closed],
      error instanceof StepFailure,
    );
  } finally {
    interrupts.stop();
  }
}

/** The end is worth a note, not a second failure over the first. */
async function close(journal: Journal, says: string): Promise<string[]> {
  try {
    await journal.close({ result: "failed", says: says.split("\n")[0] ?? "" });
    return [];
  } catch (error) {
    return [`The record could not be written: ${(error as Error).message}`];
  }
}

async function verify(input: RunInput, { servers }: Task): Promise<void> {
  await verifyManifests(input);
  await input.steps.run("verify servers", async (say) => {
    let problems: readonly string[] = [];
    await input.waiting.until(
      async () => {
        problems = await servers.problems();
        return problems.length === 0 ? true : undefined;
      },
      input.patience,
      async () => problems.join("; "),
    );
    say("the meta group and every stream are complete and current");
  });
}

/** @returns what is left for a person */
async function prune({ cluster, environment, declared, steps }: RunInput, wanted: boolean): Promise<string[]> {
  const { prunable, kept } = pruningOf(await superfluousIn(cluster, environment, declared));
  if (wanted && prunable.length > 0) {
    await steps.run("prune", async (say) => {
      for (const object of prunable) {
        await cluster.remove(referenceOf(object));
        say(`${titleOf(object)} in ${object.metadata.namespace} is deleted`);
      }
    });
  }
  return [
    ...(wanted
      ? []
      : prunable.map(
          (object) => `${titleOf(object)} in ${object.metadata.namespace} is no longer in dist: --prune deletes it`,
        )),
    ...kept.map(
      (object) =>
        `${titleOf(object)} in ${object.metadata.namespace ?? "the cluster"} is no longer in dist, and never deleted by circl: decide, and do it by hand`,
    ),
  ];
}
