/** Runs, obstacles and history as text and Markdown. */
import type { Comparison } from "../../deploy/comparison.ts";
import type { Obstacle } from "../../deploy/preflight.ts";
import type { Deployment } from "../../deploy/record.ts";
import type { Run } from "../deployment-run.ts";
import { columns } from "./columns.ts";
import { comparisonMarkdown } from "./comparison.ts";
import { paragraph } from "./paragraph.ts";
import { count } from "./problems.ts";
import type { Look } from "./terminal.ts";
import { visible } from "./visible.ts";

/** Everything that stands in the way, and the way out of each. */
export const renderObstacles = (obstacles: readonly Obstacle[], { colours, width }: Look): string =>
  [
    ...obstacles.flatMap(({ says, hint }) => [
      colours.red(paragraph("! ", says, width)),
      ...(hint === "" ? [] : [paragraph("  way out: ", hint, width)]),
    ]),
    `Nothing was applied: ${count(obstacles.length, "problem")}.`,
  ].join("\n");

const HEADLINES: Readonly<Record<Run["result"], string>> = {
  done: "is deployed and verified",
  "rolled back": "FAILED and was rolled back",
  failed: "FAILED and was NOT rolled back",
  interrupted: "was interrupted",
};

const headline = ({ kind, commit, result, seconds }: Run): string =>
  kind === "rollback" && result === "failed"
    ? `rollback to ${commit} FAILED (${seconds} s)`
    : `${commit} ${HEADLINES[result]} (${seconds} s)`;

export const deploymentSummary = (run: Run): string =>
  [
    `\n${visible(headline(run))}`,
    ...run.says.flatMap((text) => text.split("\n")).map((text) => `  ${visible(text)}`),
  ].join("\n");

/** For the summary of a pipeline's job. */
export function deploymentMarkdown(run: Run, comparison: Comparison, look: Look): string {
  const cell = (text: string) => visible(text).replaceAll("|", "\\|");
  return [
    `## ${comparison.environment}: ${headline(run)}`,
    "",
    "| step | result | time | |",
    "|---|---|---|---|",
    ...run.steps.map(
      ({ name, outcome, seconds, says }) => `| ${name} | ${outcome} | ${seconds} s | ${cell(says.at(-1) ?? "")} |`,
    ),
    "",
    ...run.says.flatMap((text) => text.split("\n")).map((text) => `- ${visible(text)}`),
    "",
    comparisonMarkdown(comparison, look),
    "",
  ].join("\n");
}

/** The same where nothing was begun. @param says why */
export const untouchedMarkdown = (
  environment: string,
  says: readonly string[],
  look: Look,
  comparison?: Comparison,
): string =>
  [
    `## ${environment}: nothing was applied`,
    "",
    ...says.flatMap((text) => text.split("\n")).map((text) => `- ${visible(text)}`),
    "",
    ...(comparison ? [comparisonMarkdown(comparison, look), ""] : []),
  ].join("\n");

/** A line for each run, newest first. */
export function renderHistory(environment: string, deployments: readonly Deployment[], { colours }: Look): string {
  if (deployments.length === 0) return `${environment}: nothing is recorded as deployed.`;
  const rows = deployments.map(({ kind, commit, who, started, result, seconds, says = "" }) => [
    started.slice(0, 19).replace("T", " "),
    kind,
    commit.slice(0, 12),
    result === "running" ? "not finished" : result,
    seconds === undefined ? "" : `${seconds} s`,
    who,
    says,
  ]);
  const lines = columns([["started (UTC)", "what", "commit", "result", "took", "who", ""], ...rows], "");
  return [colours.bold(`${environment}: ${count(deployments.length, "run")}`), "", ...lines].join("\n");
}
