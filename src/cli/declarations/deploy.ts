/** Commands that bring manifests to a cluster, and back. */
import { type Command, Option } from "commander";
import type { DeployOptions } from "../commands/deploy.ts";
import type { DiffOptions } from "../commands/diff.ts";
import type { HistoryOptions } from "../commands/history.ts";
import type { RollbackOptions } from "../commands/rollback.ts";
import { withConnection } from "../connection.ts";
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
    .addOption(new Option("--kubectl <context>", "a live cluster; needs the rights of a deploy").conflicts("against"))
    .option("--dist <folder>", "the manifests (default: dist)")
    .option("--detailed-exitcode", "exit code 2 for changes")
    .option("--prune", "count objects that a deploy with --prune would delete")
    .addOption(
      new Option("--format <format>", "markdown is for pull requests").choices(["text", "markdown"]).conflicts("json"),
    )
    .addOption(json())
    .action(
      runs(async (name: string, options: DiffOptions) =>
        (await import("../commands/diff.ts")).run(name, options, root),
      ),
    );

  withConnection(
    program
      .command("deploy")
      .summary("bring manifests and streams to a cluster")
      .description(
        "Looks whether it can be done, shows what will happen, asks once, applies stage by stage, replaces servers one by one, " +
          "applies the streams, verifies and records. A step that fails is rolled back.",
      )
      .argument("<environment>")
      .option("--auto-approve", "do not ask")
      .option("--dry-run", "look and show; apply nothing")
      .option("--prune", "delete objects of ours that dist no longer has, of harmless kinds")
      .option("--dist <folder>", "the manifests (default: dist)")
      .option("--commit <sha>", "whose manifests they are (default: what is checked out)")
      .option("--previous <folder>", "manifests to go back to, where git lacks them")
      .option("--rollout-timeout <duration>", "for one pod to be ready and current", "35m")
      .option("--report <file>", "write a report in Markdown")
      .option("--allow-delete <name...>", "as for apply")
      .option("--recreate <consumer...>", "as for apply")
      .option("--retention-step <duration>", "as for apply")
      .option("--allow-loss <stream...>", "as for apply")
      .option("--allow-irreversible <stream...>", "as for apply")
      .addOption(json()),
  ).action(
    runs(async (name: string, options: DeployOptions) =>
      (await import("../commands/deploy.ts")).run(name, options, root),
    ),
  );

  withConnection(
    program
      .command("rollback")
      .summary("put back the manifests that were deployed before")
      .description(
        "Applies the manifests of an earlier commit and verifies them; streams stay as they are. Refuses what cannot be undone.",
      )
      .argument("<environment>")
      .option("--to <commit>", "one of the history (default: before the one that is there)")
      .option("--previous <folder>", "its manifests, where git lacks them")
      .option("--auto-approve", "do not ask")
      .option("--rollout-timeout <duration>", "for one pod to be ready and current", "35m")
      .addOption(json()),
  ).action(
    runs(async (name: string, options: RollbackOptions) =>
      (await import("../commands/rollback.ts")).run(name, options, root),
    ),
  );

  program
    .command("history")
    .summary("say what was deployed when, by whom, and how it ended")
    .description("Reads the record that deploys keep in the cluster: the last twenty, and what there is to go back to.")
    .argument("<environment>")
    .addOption(new Option("--kubectl <context>", "the cluster").env("CIRCL_KUBECTL"))
    .addOption(json())
    .action(
      runs(async (name: string, options: HistoryOptions) =>
        (await import("../commands/history.ts")).run(name, options),
      ),
    );
}
