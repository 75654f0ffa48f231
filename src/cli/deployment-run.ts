/** One run against a cluster, recorded from its beginning to its end, however it ends. */
import type { Cluster } from "../deploy/cluster.ts";
import { type Ending, endingOf } from "../deploy/ending.ts";
import { openJournal } from "../deploy/journal.ts";
import { patient } from "../deploy/patience.ts";
import { type Deployment, goalIn, unseenReload } from "../deploy/record.ts";
import { reloadDigest } from "../deploy/reload.ts";
import { keepSteps, type Step, type Steps } from "../deploy/report.ts";
import { type RunInput, verifyManifests } from "../deploy/run.ts";
import { waitEvery } from "../deploy/waiting.ts";
import { NATS } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import { type DeploymentOptions, type NatsServers, patienceOf, progressFrom, whoRuns } from "./deployment.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { countInterrupts } from "./interrupts.ts";
import type { Manifests } from "./manifest-source.ts";
import { log } from "./output/terminal.ts";
import { visible } from "./output/visible.ts";

export interface Task {
  readonly model: Model;
  readonly cluster: Cluster;
  readonly servers: NatsServers;
  readonly manifests: Manifests;
  readonly commit: string;
  readonly root: string;
  /** How questions are repeated. */
  readonly pace?: { readonly interval: number; readonly silence: number };
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

export const exitCodeOfRun = ({ result }: Run): ExitCode =>
  result === "done" ? exitCodes.done : result === "interrupted" ? exitCodes.interrupted : exitCodes.problems;

/** A run that has ended, with what follows from how it did. */
export interface Recorded extends Run {
  readonly ending: Ending | "done";
}

export type Work = (input: RunInput, interrupted: () => boolean) => Promise<readonly string[]>;

/** Milliseconds between two questions, and how long an API server may be away: upgrades of control planes take a minute. */
const PACE = { interval: 2_000, silence: 60_000 };

/** The cluster of a task for what lies outside of a recorded run, where one answer that fails must not end it all. */
export const patientCluster = ({ cluster, pace = PACE }: Pick<Task, "cluster" | "pace">): Cluster =>
  patient(cluster, waitEvery(pace.interval, { silence: pace.silence }));

/**
 * Runs `work` under the record of the cluster, and tells how it ended.
 * @throws AlreadyRunning, StepFailure, ConnectionFailure where the record cannot be opened: nothing has been done then
 */
export async function recorded(
  kind: Run["kind"],
  task: Task,
  options: DeploymentOptions,
  work: Work,
): Promise<Recorded> {
  const { model, cluster, servers, manifests, commit, pace = PACE } = task;
  const { name, kubernetes } = model.environment;
  const patience = patienceOf(options);
  const began = Date.now();
  const kept = keepSteps(progressFrom(began));
  // The end is written after Ctrl-C too; and the run itself has waited already where the API server is away.
  const calm = patient(cluster, waitEvery(pace.interval, { silence: pace.silence / 3 }));
  const entry = { kind, commit, digest: manifests.digest, who: whoRuns() };
  const journal = await openJournal(calm, kubernetes.namespace, entry);
  const unseen = unseenReload(journal.earlier);
  const goal = goalIn(journal.earlier, reloadDigest(manifests.objects));
  const interrupts = countInterrupts("Stopping at the next safe place");
  const check = () => {
    interrupts.check();
    journal.check();
  };
  const waiting = waitEvery(pace.interval, { onTurn: check, silence: pace.silence });
  // Ctrl-C ends waits, and no write in the middle of a step.
  const insisting = waitEvery(pace.interval, { onTurn: journal.check, silence: pace.silence });
  let touched = false;
  const input: RunInput = {
    cluster: patient(cluster, insisting, () => {
      touched = true;
    }),
    environment: name,
    declared: manifests.objects,
    steps: checked(kept, check),
    waiting,
    insisting,
    patience,
    proven: async (set, pod) => (set === NATS.name ? await servers.problems(pod) : []),
    loaded: () => servers.loaded(),
    note: ({ before, ...rest }) => journal.note({ reload: { ...rest, before: [...before] } }),
    ...(unseen ? { unseen: { ...unseen, before: new Map(unseen.before) } } : {}),
    ...(goal ? { goal: new Map(goal) } : {}),
  };
  const end = (ending: Recorded["ending"], result: Run["result"], says: readonly string[]): Recorded => ({
    kind,
    commit,
    result,
    seconds: Math.round((Date.now() - began) / 1_000),
    steps: kept.all,
    says,
    ending,
  });
  const close = async (entry: Pick<Deployment, "result" | "says" | "untouched">): Promise<readonly string[]> => {
    try {
      await journal.close(entry);
      return [];
    } catch (error) {
      return [`The record could not be written: ${(error as Error).message}`];
    }
  };
  try {
    const says = await work(input, interrupts.interrupted);
    const unwritten = await close({ result: "done" });
    if (unwritten.length === 0) return end("done", "done", says);
    const again = "Everything is applied and verified. Run the same command again, so that the record says so too.";
    return end("stop", "failed", [...unwritten, again, ...says]);
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (!EXPECTED.includes(error.name)) for (const line of error.stack?.split("\n") ?? []) log(visible(line));
    const { ending, says } = endingOf(error, touched);
    const unwritten = await close({
      result: "failed",
      says: error.message.split("\n")[0] ?? "",
      ...(touched ? {} : { untouched: true }),
    });
    return end(ending, ending === "interrupted" ? ending : "failed", [error.message, ...says, ...unwritten]);
  } finally {
    interrupts.stop();
  }
}

/** Failures whose message says all; of others the place in the code is said too. */
const EXPECTED = [
  "StepFailure",
  "Interrupted",
  "ConnectionFailure",
  "ApiError",
  "AlreadyRunning",
  "LockHeld",
  "StreamsUnasked",
  "LeaveMissing",
];

/** No step begins after Ctrl-C, or once another run has taken over. */
const checked = (steps: Steps, check: () => void): Steps => ({
  all: steps.all,
  run: async (name, work) => {
    check();
    return await steps.run(name, work);
  },
});

/** Looks whether everything is as declared, and whether the servers have what they should. */
export async function verify(input: RunInput, { servers }: Task): Promise<void> {
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
