/** Commands that read the definitions and ask no server. */
import { type Command, Option } from "commander";
import type { AccessOptions } from "../commands/access.ts";
import type { CheckOptions } from "../commands/check.ts";
import type { DashboardsOptions } from "../commands/dashboards.ts";
import type { ExplainOptions } from "../commands/explain.ts";
import type { ShowOptions } from "../commands/show.ts";
import type { SynthOptions } from "../commands/synth.ts";
import { json, runs } from "./runs.ts";

/** @param root the repository's folder, where synth writes */
export function declareDefinitions(program: Command, root: string): void {
  program
    .command("check")
    .summary("say everything that is wrong or doubtful")
    .description("Runs every rule on the definitions and on the manifests they give. Writes nothing.")
    .argument("[environments...]", "which ones (default: all)")
    .option("--verbose", "say why for warnings too")
    .addOption(json())
    .action(
      runs(async (names: string[], options: CheckOptions) =>
        (await import("../commands/check.ts")).run(names, options),
      ),
    );

  program
    .command("explain")
    .summary("say what rules are for and what to do about them")
    .description("Says what rules are for and what to do about them. Without a code it lists all.")
    .argument("[codes...]", "for example S001")
    .option("--all", "all rules in full")
    .addOption(new Option("--format <format>", "markdown with --all is docs/rules.md").choices(["text", "markdown"]))
    .addOption(json().conflicts("format"))
    .action(
      runs(async (codes: string[], options: ExplainOptions) =>
        (await import("../commands/explain.ts")).run(codes, options),
      ),
    );

  program
    .command("show")
    .summary("show the streams of an environment")
    .description(
      "Shows streams and consumers: limits, how long messages live in practice, who publishes and reads, where " +
        "personal data ends up.",
    )
    .argument("<environment>")
    .option("--diff <file>", "what has changed since an earlier --json, before any server is asked")
    .option("--detailed-exitcode", "exit code 2 for differences")
    .addOption(
      new Option("--format <format>", "markdown with --diff is for pull requests").choices(["text", "markdown"]),
    )
    .addOption(new Option("--json", "the wire configurations of streams and consumers").conflicts(["format", "diff"]))
    .action(
      runs(async (name: string, options: ShowOptions) => (await import("../commands/show.ts")).run(name, options)),
    );

  program
    .command("access")
    .summary("say who can do what")
    .description(
      "Lists services, tools and people with what each may publish and hear, and why. Asks no server: auth.conf says the same.",
    )
    .argument("<environment>")
    .option("--verbose", "every subject under its reason")
    .addOption(
      new Option("--who-can <action...>", "publish SUBJECT or subscribe SUBJECT: everybody who may").conflicts("diff"),
    )
    .option("--diff <file>", "what has changed since an earlier --json")
    .option("--detailed-exitcode", "exit code 2 for differences")
    .addOption(
      new Option("--format <format>", "markdown with --diff is for pull requests").choices(["text", "markdown"]),
    )
    .addOption(json().conflicts("format"))
    .action(
      runs(async (name: string, options: AccessOptions) => (await import("../commands/access.ts")).run(name, options)),
    );

  program
    .command("comment")
    .summary("make one comment of several Markdown reports")
    .description(
      "Joins what plan, access and diff said with --format markdown to one text that a pull request takes: where it is too long, " +
        "the longest reports are cut. Its first line finds it again.",
    )
    .argument("<files...>", "in the order that they are to be read in")
    .action(runs(async (files: string[]) => (await import("../commands/comment.ts")).run(files)));

  program
    .command("dashboards")
    .summary("say what Grafana shows of an environment")
    .description("Says which questions each dashboard answers, what a bad answer means and which alert calls for it.")
    .argument("<environment>")
    .addOption(new Option("--format <format>", "markdown is docs/dashboards.md").choices(["text", "markdown"]))
    .addOption(new Option("--json", "with the queries, one JSON document on stdout").conflicts("format"))
    .action(
      runs(async (name: string, options: DashboardsOptions) =>
        (await import("../commands/dashboards.ts")).run(name, options),
      ),
    );

  program
    .command("synth")
    .summary("write the Kubernetes manifests")
    .description(
      "Checks everything, then writes one folder of manifests per environment; with any error it writes none.",
    )
    .argument("[environments...]", "which ones (default: all)")
    .option("--out <folder>", "where to (default: $CDK8S_OUTDIR, or dist)")
    .action(
      runs(async (names: string[], options: SynthOptions) =>
        (await import("../commands/synth.ts")).run(names, options, root),
      ),
    );
}
