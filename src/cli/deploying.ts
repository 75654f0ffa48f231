/** A deploy: manifests and streams, both verified, and the way back where a step fails. */
import { referenceOf } from "../deploy/cluster.ts";
import type { ObjectChange } from "../deploy/comparison.ts";
import { readRecord } from "../deploy/journal.ts";
import type { KubeObject } from "../deploy/object.ts";
import { type Deployment, lastDone } from "../deploy/record.ts";
import type { Steps } from "../deploy/report.ts";
import { applyStages } from "../deploy/run.ts";
import { applied } from "../deploy/step.ts";
import type { DeploymentOptions } from "./deployment.ts";
import { patientCluster, type Run, recorded, type Task, verify } from "./deployment-run.ts";
import { removeLeftovers } from "./leftovers.ts";
import { type Manifests, manifestsIn, manifestsOf } from "./manifest-source.ts";
import { factsForWayBack, putBack } from "./putting-back.ts";

export interface DeployTask extends Task {
  readonly options: DeploymentOptions & { readonly prune?: boolean; readonly previous?: string };
  /** What the deploy will change, as it was shown. */
  readonly changes: readonly ObjectChange[];
  /** The streams' part; tells which it may have changed for good, whether or not it comes to its end. */
  readonly applyStreams: (
    steps: Steps,
    interrupted: () => boolean,
    changed: (names: readonly string[]) => void,
  ) => Promise<void>;
}

/** Applies manifests and streams, verifies both, and puts back what was there where a step fails after something was applied. */
export async function deploy(task: DeployTask): Promise<Run> {
  const { model, cluster, options, changes } = task;
  const made = await makeNamespace(task);
  const last = lastDone(await readRecord(patientCluster(task), model.environment.kubernetes.namespace));
  let streamsChanged: readonly string[] = [];
  const { ending, ...run } = await recorded("deploy", task, options, async (input, interrupted) => {
    const seen = await applyStages(input);
    const left = await removeLeftovers(input, {
      wanted: () => options.prune === true,
      why: "is no longer in dist",
      wayOut: () => "--prune deletes it",
    });
    await task.applyStreams(input.steps, interrupted, (names) => {
      streamsChanged = names;
    });
    await verify(input, task);
    return [...seen, ...left];
  });
  if (ending === "untouched" && made)
    return { ...run, says: [...run.says, `Namespace ${made} was made and is empty.`] };
  if (ending !== "put back") return run;
  const found = manifestsBefore(task, last);
  if (typeof found === "string") return { ...run, says: [...run.says, `Nothing is rolled back: ${found}`] };
  const target = { ...task, manifests: found.manifests, commit: found.commit };
  const facts = await factsForWayBack(task.servers);
  const way = { streamsChanged, unasked: true, brought: broughtBy(changes), facts };
  const back = await putBack(target, options, way).catch(
    (error: Error): Pick<Run, "result" | "steps" | "seconds" | "says"> => ({
      result: "failed",
      steps: [],
      seconds: 0,
      says: [`The way back to ${found.commit} could not begin: ${error.message}`],
    }),
  );
  const [steps, seconds] = [[...run.steps, ...back.steps], run.seconds + back.seconds];
  if (back.result === "done") {
    const there = `Commit ${found.commit} is there again, and verified. Streams stay as they are.`;
    return { ...run, result: "rolled back", steps, seconds, says: [...run.says, there, ...back.says] };
  }
  const again = `Neither is whole now. Mend what is said above, then: circl rollback ${model.environment.name} --kubectl ${cluster.context}`;
  return { ...run, steps, seconds, says: [...run.says, ...back.says, again] };
}

/** Makes the namespace that the record lies in, where it is not there yet. All others come under the record. @returns its name */
async function makeNamespace(task: DeployTask): Promise<string | undefined> {
  const { namespace } = task.model.environment.kubernetes;
  const cluster = patientCluster(task);
  const object = task.manifests.objects.find(
    ({ kind, metadata }) => kind === "Namespace" && metadata.name === namespace,
  );
  if (!object || (await cluster.get(referenceOf(object)))) return undefined;
  applied(await cluster.apply(object), object);
  return namespace;
}

/** What to go back to; or why that cannot be, and what to do. */
function manifestsBefore(
  { model, cluster, manifests, options, root }: DeployTask,
  last: Deployment | undefined,
): { readonly manifests: Manifests; readonly commit: string } | string {
  const { name } = model.environment;
  if (!last) return "nothing was deployed before. Mend it and deploy again.";
  if (last.digest === manifests.digest)
    return "what was deployed before are the same manifests. Mend it and deploy again.";
  const previous = options.previous ? manifestsIn(options.previous, name) : manifestsOf(last.commit, name, root);
  if (previous?.digest === last.digest) return { manifests: previous, commit: last.commit };
  const where = options.previous ? `${options.previous} does not hold` : "this clone does not have";
  return `${where} the manifests of ${last.commit}. Where they are, run: circl rollback ${name} --kubectl ${cluster.context}`;
}

/** Objects that were not there before the deploy. */
const broughtBy =
  (changes: readonly ObjectChange[]) =>
  ({ kind, metadata: { name, namespace = "" } }: KubeObject): boolean =>
    changes.some(
      (change) =>
        change.action === "create" && change.kind === kind && change.name === name && change.namespace === namespace,
    );
