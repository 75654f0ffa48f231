/** Problems as text and JSON. */
import type { CheckReport } from "../commands/check.ts";
import { errorsOf, type SharedProblem } from "../inspection.ts";
import { paragraph } from "./paragraph.ts";
import type { Look } from "./terminal.ts";
import { visible } from "./visible.ts";

/** The whole report; reasons of warnings only if `verbose`. */
export function renderCheck(report: CheckReport, verbose: boolean, look: Look): string {
  return [...report.problems.map((problem) => renderProblem(problem, verbose, look)), renderSummary(report)].join("\n");
}

export const renderProblems = (problems: readonly SharedProblem[], look: Look): string =>
  problems.map((problem) => renderProblem(problem, false, look)).join("\n");

/** What, where and the way out; errors say why as well. */
function renderProblem(problem: SharedProblem, verbose: boolean, { colours, width }: Look): string {
  const { severity, code, place, says, reason, hint, environments } = problem;
  const paint = severity === "error" ? colours.red : colours.yellow;
  const lines = [
    `${paint(`${severity} ${code}`)} ${colours.bold(visible(place))} ${visible(says)} ${colours.dim(`(${environments.join(", ")})`)}`,
  ];
  if (severity === "error" || verbose) lines.push(colours.dim(paragraph("  why: ", reason, width)));
  lines.push(paragraph("  way out: ", hint, width));
  return `${lines.join("\n")}\n`;
}

/** `3 environments: 0 errors, 14 warnings.` and, where not all rules ran, that there may be more. */
function renderSummary({ environments, problems, unfinished }: CheckReport): string {
  const errors = errorsOf(problems).length;
  const counts = `${count(errors, "error")}, ${count(problems.length - errors, "warning")}`;
  const more =
    unfinished.length > 0
      ? `Not all rules ran on ${unfinished.join(", ")}: the others do once these errors are mended.\n`
      : "";
  return `${more}${count(environments.length, "environment")}: ${counts}.`;
}

export function checkJson({ environments, problems, unfinished }: CheckReport) {
  const errors = errorsOf(problems).length;
  const summary = { errors, warnings: problems.length - errors };
  return { formatVersion: 1, environments, unfinished, problems, summary };
}

/** 1, "error" -> "1 error"; 0 and 2 -> "0 errors", "2 errors". */
export const count = (amount: number, noun: string): string => `${amount} ${noun}${amount === 1 ? "" : "s"}`;
