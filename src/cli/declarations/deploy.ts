/** Commands that bring manifests to a cluster, and back. */
import { type Command, Option } from "commander";
import type { DiffOptions } from "../commands/diff.ts";
import { json, runs } from "./runs.ts";

export function declareDeploy(program: Command, root: string): void {
  program
    .command("diff")
    .summary("say what a deploy of the manifests would do")
    .description(
      "Compares dist with another folder, or with a live cluster by dry runs on the server, and says for every change what " +
        "happens: nothing, a reload, pods that are replaced, or why it is blocked.",
    )
    .argument("<environment>")
    .option("--against <folder>", "manifests of another commit")
    .option("--kubectl <context>", "a live cluster; needs the rights of a deploy")
    .option("--dist <folder>", "the manifests (default: dist)")
    .option("--detailed-exitcode", "exit code 2 for changes")
    .addOption(
      new Option("--format <format>", "markdown is for pull requests").choices(["text", "markdown"]).conflicts("json"),
    )
    .addOption(json())
    .action(
      runs(async (name: string, options: DiffOptions) =>
        (await import("../commands/diff.ts")).run(name, options, root),
      ),
    );
}
