/** `circl history`: what was deployed when, by whom, and how it ended. */
import { openCluster } from "../../connect/cluster.ts";
import { readRecord } from "../../deploy/journal.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { UsageError } from "../failures.ts";
import { renderHistory } from "../output/deployment.ts";
import { lookOf, print, printJson } from "../output/terminal.ts";
import { soundModel } from "./plan.ts";

export interface HistoryOptions {
  readonly kubectl?: string;
  readonly json?: boolean;
}

export async function run(name: string, { kubectl, json }: HistoryOptions): Promise<ExitCode> {
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  const { kubernetes } = model.environment;
  if (!kubectl) throw new UsageError(`history of which cluster? Give --kubectl ${kubernetes.context}`);
  await using cluster = await openCluster(kubectl);
  const deployments = await readRecord(cluster, kubernetes.namespace);
  if (json) printJson({ formatVersion: 1, environment: name, deployments });
  else print(renderHistory(name, deployments, lookOf(process.stdout)));
  return exitCodes.done;
}
