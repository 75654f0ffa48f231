/** `circl synth`: writes the manifests, all that were asked for or none. */
import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { writeApp } from "../../app.ts";
import type { Definitions } from "../../model/resolve.ts";
import { definitions } from "../definitions.ts";
import { chooseEnvironments } from "../environment-names.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { errorsOf } from "../inspection.ts";
import { freshFolder, removeStale, replaceFolders } from "../manifest-folders.ts";
import { renderDeleted, renderSynth } from "../output/synth.ts";
import { log, lookOf } from "../output/terminal.ts";
import { type CheckReport, checkBuild, toReport } from "./check.ts";

export interface SynthOptions {
  readonly out?: string;
}

/** Everything it says goes to stderr, because `cdk8s synth` swallows the stdout of its app. */
export async function run(names: readonly string[], options: SynthOptions, root: string): Promise<ExitCode> {
  const environments = chooseEnvironments(names, definitions);
  const committed = join(root, "dist");
  const out = resolve(options.out ?? process.env.CDK8S_OUTDIR ?? committed);
  const typed = relative(process.cwd(), out) || ".";
  const deleted = !options.out && process.env.CDK8S_OUTDIR && !existsSync(out);
  let code: ExitCode = exitCodes.problems;
  try {
    const report = await synth(definitions, environments, out);
    log(renderSynth(report, typed, lookOf(process.stderr)));
    if (errorsOf(report.problems).length === 0) code = report.interrupted ? exitCodes.interrupted : exitCodes.done;
  } finally {
    if (deleted && code === exitCodes.problems) log(renderDeleted(typed, out === committed));
  }
  return code;
}

export interface SynthReport extends CheckReport {
  /** Environments whose folder was written; none where there are errors. */
  readonly written: readonly string[];
  /** Folders of environments that are no more. */
  readonly removed: readonly string[];
  /** Ctrl-C came while writing. What is written is complete, but whatever is to follow must not. */
  readonly interrupted: boolean;
}

/** Writes each of `environments` to a folder of its name in `out`; where it writes all, folders of former ones go. */
export async function synth(
  definitions: Definitions,
  environments: readonly string[],
  out: string,
): Promise<SynthReport> {
  const builds = environments.map((name) => checkBuild(name, definitions, freshFolder(out, name)));
  const report = toReport(builds);
  if (errorsOf(report.problems).length > 0) return { ...report, written: [], removed: [], interrupted: false };

  const apps = new Map(builds.flatMap(({ environment, app }) => (app ? [[environment, app] as const] : [])));
  const all = Object.keys(definitions.environments);
  let removed: string[] = [];
  const interrupted = await deferInterruption(() => {
    replaceFolders(out, [...apps.keys()], (name) => {
      const app = apps.get(name);
      if (app) writeApp(app);
    });
    if (all.every((name) => apps.has(name))) removed = removeStale(out, all);
  });
  return { ...report, written: [...apps.keys()], removed, interrupted };
}

/** Runs `work` to its end even if a signal comes, and tells whether one did. */
async function deferInterruption(work: () => void): Promise<boolean> {
  let interrupted = false;
  const note = () => {
    interrupted = true;
  };
  process.on("SIGINT", note).on("SIGTERM", note);
  try {
    work();
    // Signals are told in the poll phase of the event loop, which is sure to lie between two immediates.
    await setImmediate();
    await setImmediate();
  } finally {
    process.off("SIGINT", note).off("SIGTERM", note);
  }
  return interrupted;
}
