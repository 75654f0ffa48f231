/** What `circl synth` says. */
import { join } from "node:path";
import type { SynthReport } from "../commands/synth.ts";
import { errorsOf } from "../inspection.ts";
import { count, renderProblems } from "./problems.ts";
import type { Look } from "./terminal.ts";

/** `out` as the user would type it. */
export function renderSynth(report: SynthReport, out: string, look: Look): string {
  const errors = errorsOf(report.problems);
  if (errors.length > 0) {
    const unfinished = report.unfinished.length > 0 ? " More may show once these are mended." : "";
    return `${renderProblems(errors, look)}\n${count(errors.length, "error")}: nothing was written.${unfinished}`;
  }
  const warnings = report.problems.length;
  return [
    ...report.written.map((name) => `wrote ${join(out, name)}`),
    ...report.removed.map((name) => `removed ${join(out, name)}: there is no such environment any more`),
    ...(warnings > 0 ? [`${count(warnings, "warning")}: \`circl check\` says which`] : []),
    ...(report.interrupted ? ["interrupted; what is written is complete"] : []),
  ].join("\n");
}

/**
 * `cdk8s synth` deletes its output folder before it runs the app, so a failing app leaves nothing behind
 * (facts: cdk8s-cli lib/cli/cmds/synth.js).
 */
export const renderDeleted = (out: string, committed: boolean): string =>
  committed
    ? `\`cdk8s synth\` has deleted ${out} before it ran this. Get it back with \`git checkout -- ${out}\`, or with \`npm run synth\` once this is mended.`
    : `\`cdk8s synth\` has deleted ${out} before it ran this. Run it again once this is mended.`;
