/** How a deploy or a rollback ends that has begun nothing: report and JSON say why. */
import { writeFileSync } from "node:fs";
import type { Comparison } from "../deploy/comparison.ts";
import type { Obstacle } from "../deploy/preflight.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { comparisonJson } from "./output/comparison.ts";
import { renderObstacles, untouchedMarkdown } from "./output/deployment.ts";
import { log, lookOf, plainLook, printJson } from "./output/terminal.ts";
import { visible } from "./output/visible.ts";

/** Where it is said, besides the terminal. */
export interface Outlets {
  readonly environment: string;
  /** File for Markdown. */
  readonly report?: string | undefined;
  readonly json?: boolean | undefined;
}

interface Untouched {
  /** Why. */
  readonly says: readonly string[];
  readonly comparison?: Comparison;
  readonly dryRun?: true;
  readonly obstacles?: readonly Obstacle[];
}

export function tellUntouched({ environment, report, json }: Outlets, { comparison, ...why }: Untouched): void {
  if (report) writeFileSync(report, untouchedMarkdown(environment, why.says, plainLook, comparison));
  if (json) printJson({ formatVersion: 1, environment, ...(comparison ? comparisonJson(comparison) : {}), ...why });
}

/** Something stands in the way. */
export function refused(outlets: Outlets, obstacles: readonly Obstacle[]): ExitCode {
  log(renderObstacles(obstacles, lookOf(process.stderr)));
  const says = obstacles.map(({ says, hint }) => (hint === "" ? says : `${says}. ${hint}`));
  tellUntouched(outlets, { says, obstacles });
  return exitCodes.problems;
}

/**
 * Tells why `work` could not begin: another run goes on, or the record cannot be read or written. Once begun it throws neither.
 * @param failures by name
 */
export async function orRefused(
  outlets: Outlets,
  work: () => Promise<ExitCode>,
  failures: readonly string[] = ["AlreadyRunning", "StepFailure"],
): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    const { name, message } = error as Error;
    if (!failures.includes(name)) throw error;
    log(visible(`Nothing was applied. ${message}`));
    tellUntouched(outlets, { says: [message] });
    return exitCodes.problems;
  }
}
