/** Applies a set of manifests, stage by stage: the same for a deploy and for the way back. */
import pLimit from "p-limit";
import { type Cluster, referenceOf } from "./cluster.ts";
import { compareLive } from "./live-comparison.ts";
import type { KubeObject } from "./object.ts";
import { awaitSecrets, isAwaited, isMade, whyNotAllDone } from "./readiness.ts";
import {
  awaitReload,
  type LoadedByPod,
  liveOf,
  type Replaced,
  reloadDigest,
  replacedConf,
  serverPods,
} from "./reload.ts";
import type { Steps } from "./report.ts";
import { rollOut } from "./rollout.ts";
import { type Stage, stagesOf } from "./stages.ts";
import { applied, StepFailure } from "./step.ts";
import type { Waiting } from "./waiting.ts";

export interface RunInput {
  readonly cluster: Cluster;
  readonly environment: string;
  readonly declared: readonly KubeObject[];
  readonly steps: Steps;
  readonly waiting: Waiting;
  /** The same, and Ctrl-C does not end it: for what must not stop half-way. */
  readonly insisting: Waiting;
  /** Milliseconds for one pod. */
  readonly patience: number;
  /** What must hold of this StatefulSet before a pod goes, and of `pod` once it is ready: problems, or none. */
  readonly proven: (statefulSet: string, pod: string | undefined) => Promise<readonly string[]>;
  /** The configurations that the NATS servers run with. */
  readonly loaded: () => Promise<LoadedByPod>;
  /** Keeps what is about to be replaced for a run after this one, should this one be cut off. */
  readonly note: (replaced: Replaced) => Promise<void>;
  /** What a run before this one has kept so. */
  readonly unseen?: Replaced;
  /** Those of before a deploy that this is to undo, or that was cut off and replaced what is declared now. */
  readonly goal?: LoadedByPod;
}

/** Milliseconds for a kubelet to bring a ConfigMap to its pod, and for the reloader to see it: two minutes at the most. */
const RELOAD_PATIENCE = 300_000;

/** The same for what a run before this one brought: it may be on its way still, and would be taken for what this one brings. */
const SETTLING = 120_000;

/** Milliseconds for operators to make Secrets and certificates: several secret stores away. */
const SECRETS_PATIENCE = 300_000;

/**
 * @returns what is left to look at
 * @throws StepFailure where a step fails; ConnectionFailure where the cluster cannot be asked any more
 */
export async function applyStages(input: RunInput): Promise<readonly string[]> {
  const { cluster, declared, steps, loaded, waiting, patience, unseen } = input;
  const left: string[] = [];
  await settleBefore(input);
  const replaced = await replacedConf(cluster, declared, loaded, waiting, patience);
  if (replaced) await input.note(replaced);
  // Where it is there already, a run that was cut off has brought it, and nobody saw the servers take it over.
  const conf = replaced ?? (unseen?.digest === reloadDigest(declared) ? unseen : undefined);
  for (const stage of stagesOf(input.declared)) {
    if (stage.objects.length === 0) continue;
    const pods = stage.name === "servers" && conf?.unasked ? await serverPods(cluster, declared) : NONE;
    await steps.run(stage.name, async (say) => {
      if (stage.name === "servers") await applyServers(stage, input, say);
      else left.push(...(await applyPlain(stage, input, say)));
    });
    // Behind the servers: those that were restarted for it have it already.
    if (stage.name === "servers" && conf) left.push(...(await seeReload(conf, pods, input)));
  }
  return left;
}

const NONE: ReadonlyMap<string, KubeObject> = new Map();

/** What a run that was cut off has brought comes first, where neither that nor what it replaced is wanted now. */
async function settleBefore({ cluster, declared, steps, loaded, waiting, patience, unseen }: RunInput): Promise<void> {
  if (!unseen || unseen.before.size === 0 || [unseen.from, unseen.digest].includes(reloadDigest(declared))) return;
  if (reloadDigest(await liveOf(cluster, declared)) !== unseen.digest) return;
  await steps.run("reload of before", async (say) => {
    try {
      const servers = await awaitReload(unseen, loaded, waiting, Math.min(patience, SETTLING));
      say(`${servers} servers have taken over what an earlier run brought`);
    } catch (error) {
      // Refused, most likely: what is to come takes its place.
      if (!(error instanceof StepFailure)) throw error;
      say(error.message);
    }
  });
}

/** @param pods of the servers, as they were before this run replaced any, where one was not asked */
async function seeReload(
  conf: Replaced,
  pods: ReadonlyMap<string, KubeObject>,
  { cluster, declared, steps, loaded, waiting, patience, goal }: RunInput,
): Promise<readonly string[]> {
  const { unasked = [] } = conf;
  const now = unasked.length > 0 ? await serverPods(cluster, declared) : NONE;
  const stayed = unasked.filter((pod) => pods.get(pod)?.metadata.uid === now.get(pod)?.metadata.uid);
  const unjudged = stayed.map(
    (pod) =>
      `${pod} could not be asked before: look whether it took ${conf.what === "accounts" ? "auth.conf" : "nats.conf"} over`,
  );
  if (conf.before.size === 0) return unjudged;
  return await steps.run("reload", async (say) => {
    try {
      const servers = await awaitReload(conf, loaded, waiting, Math.min(patience, RELOAD_PATIENCE), goal);
      say(`${servers} servers run with the new configuration`);
      return unjudged;
    } catch (error) {
      // Another template may render the same accounts, and then there is nothing to reload.
      if (conf.what !== "accounts" || !(error instanceof StepFailure)) throw error;
      say(error.message);
      return [error.message, ...unjudged];
    }
  });
}

async function applyServers(
  { objects }: Stage,
  { cluster, waiting, insisting, patience, proven }: RunInput,
  say: Say,
): Promise<void> {
  for (const set of objects) {
    const { name } = set.metadata;
    await rollOut(set, { cluster, waiting, insisting, patience, say, proven: (pod) => proven(name, pod) });
    say(`${name}: every pod is ready`);
  }
}

type Say = (text: string) => void;

/** Objects in flight: those of one rank may come in any order. */
const parallel = pLimit(8);

/** @returns what is left to look at */
async function applyPlain({ objects }: Stage, { cluster, waiting }: RunInput, say: Say): Promise<readonly string[]> {
  const kinds = [...new Set(objects.map(({ kind }) => kind))];
  let changed = 0;
  const moved: KubeObject[] = [];
  for (const kind of kinds) {
    const some = objects.filter((object) => object.kind === kind);
    let failed = false;
    // Those in flight come to their end before the failure is told: nothing is written behind it.
    const results = await Promise.allSettled(
      some.map((object) =>
        parallel(async () => {
          if (failed) return;
          try {
            const before = isAwaited(object) ? await cluster.get(referenceOf(object)) : undefined;
            const { metadata } = applied(await cluster.apply(object), object);
            if (!before || !isMade(before) || before.metadata.generation !== metadata.generation) moved.push(object);
          } catch (error) {
            failed = true;
            throw error;
          }
        }),
      ),
    );
    for (const result of results) if (result.status === "rejected") throw result.reason;
    changed += results.length;
  }
  say(`${changed} objects applied`);
  const all = objects.filter(isAwaited);
  if (all.length === 0) return [];
  const awaited = all.filter((object) => moved.includes(object));
  await awaitSecrets(cluster, awaited, waiting, SECRETS_PATIENCE);
  // What was made and stays as it was is there: a secret store that is down now is no reason not to go on, or back.
  const late = await whyNotAllDone(
    cluster,
    all.filter((object) => !awaited.includes(object)),
  );
  say(`${all.length - late.length} secrets and certificates are ready`);
  for (const one of late) say(one);
  return late;
}

/** Looks whether everything is as declared. @throws StepFailure that names what is not */
export async function verifyManifests({ cluster, environment, declared, steps }: RunInput): Promise<void> {
  await steps.run("verify manifests", async (say) => {
    const changes = await compareLive(cluster, environment, declared);
    const wrong = changes.filter(({ action }) => action === "create" || action === "update");
    if (wrong.length > 0) throw new StepFailure(`not as declared: ${wrong.map(({ title }) => title).join(", ")}`);
    say(`${declared.length} objects are as declared`);
  });
}
