/** `circl diff`: what differs between dist and another folder or a live cluster, and what an apply would do to what runs. */
import { join } from "node:path";
import { openCluster } from "../../connect/cluster.ts";
import { type Comparison, compare, hasChanges, isBlocked, isOurs, pairsOf } from "../../deploy/comparison.ts";
import { compareLive } from "../../deploy/live-comparison.ts";
import { idOf } from "../../deploy/object.ts";
import { definitions } from "../definitions.ts";
import { chooseEnvironments } from "../environment-names.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { UsageError } from "../failures.ts";
import { manifestsIn } from "../manifest-source.ts";
import { comparisonJson, comparisonMarkdown, renderComparison } from "../output/comparison.ts";
import { lookOf, print, printJson } from "../output/terminal.ts";

export interface DiffOptions {
  /** Folder of a base commit's manifests. */
  readonly against?: string;
  /** Context of a live cluster. */
  readonly kubectl?: string;
  /** @default dist of this repository */
  readonly dist?: string;
  readonly json?: boolean;
  readonly format?: "text" | "markdown";
  readonly detailedExitcode?: boolean;
  /** Counts what a deploy with --prune would delete. */
  readonly prune?: boolean;
}

export async function run(name: string, options: DiffOptions, root: string): Promise<ExitCode> {
  chooseEnvironments([name], definitions);
  if ((options.against === undefined) === (options.kubectl === undefined)) {
    throw new UsageError("against what? Give --against DIR or --kubectl CONTEXT, one of them");
  }
  const comparison = await comparisonOf(name, options, root);
  const look = lookOf(process.stdout);
  if (options.json) printJson(comparisonJson(comparison));
  else print((options.format === "markdown" ? comparisonMarkdown : renderComparison)(comparison, look));
  if (isBlocked(comparison.changes)) return exitCodes.blocked;
  return options.detailedExitcode && hasChanges(comparison.changes, options.prune === true)
    ? exitCodes.changes
    : exitCodes.done;
}

async function comparisonOf(name: string, { against, kubectl, dist }: DiffOptions, root: string): Promise<Comparison> {
  const { objects } = manifestsIn(dist ?? join(root, "dist"), name);
  if (against !== undefined) {
    const before = manifestsIn(against, name).objects;
    const declared = new Set(objects.map(idOf));
    const only = before.filter((object) => isOurs(object, name) && !declared.has(idOf(object)));
    return { environment: name, with: against, changes: compare(pairsOf(before, objects), only) };
  }
  await using cluster = await openCluster(kubectl ?? "");
  return { environment: name, with: `the cluster of ${kubectl}`, changes: await compareLive(cluster, name, objects) };
}
