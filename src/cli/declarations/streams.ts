/** Commands that talk to the streams of a live cluster. */
import { type Command, Option } from "commander";
import type { ApplyOptions } from "../commands/apply.ts";
import type { AuditOptions } from "../commands/audit.ts";
import type { ImportOptions } from "../commands/import.ts";
import type { PlanOptions } from "../commands/plan.ts";
import type { StatusOptions } from "../commands/status.ts";
import { withConnection } from "../connection.ts";
import { json, runs } from "./runs.ts";

const format = (): Option =>
  new Option("--format <format>", "markdown is for pull requests").choices(["text", "markdown"]).conflicts("json");

export function declareStreams(program: Command): void {
  withConnection(
    program
      .command("plan")
      .summary("say what an apply would do to a live cluster")
      .description(
        "Compares the streams and consumers of an environment with those of a live cluster. Its client cannot write.",
      )
      .argument("<environment>")
      .option("--detailed-exitcode", "exit code 2 for changes, 3 while something cannot be asked")
      .option("--target <stream...>", "look at these streams alone")
      .option("--allow-delete <name...>", "as for apply: shows what would go")
      .option("--recreate <consumer...>", "as for apply: shows where they would start again")
      .option("--retention-step <duration>", "as for apply: shows the next step")
      .option("--out <file>", "keep the plan, for apply --plan")
      .addOption(format())
      .addOption(json()),
  ).action(
    runs(async (name: string, options: PlanOptions) => (await import("../commands/plan.ts")).run(name, options)),
  );

  withConnection(
    program
      .command("apply")
      .summary("bring a live cluster to what the streams say")
      .description(
        "Shows the plan, asks once, then creates and updates streams and consumers. Deletes nothing that is not named.",
      )
      .argument("<environment>")
      .option("--auto-approve", "do not ask")
      .addOption(
        new Option("--plan <file>", "apply what was planned, if it still holds; leave is given here").conflicts([
          "target",
          "recreate",
          "retentionStep",
        ]),
      )
      .option("--target <stream...>", "look at these streams alone")
      .option("--lock-timeout <seconds>", "wait for another apply", "0")
      .option("--ready-timeout <seconds>", "wait for the replicas of what is written to be current", "120")
      .option("--allow-delete <name...>", "delete these, if they are ours and no longer declared")
      .option("--recreate <consumer...>", "delete and create these (stream/consumer), each behind its ack floor")
      .option(
        "--retention-step <duration>",
        "let age limits fall by this at most, for example 7d; apply again for the rest",
      )
      .option("--allow-loss <stream...>", "may lose the messages that the plan names")
      .option("--allow-irreversible <stream...>", "may take changes that cannot be taken back")
      .addOption(json()),
  ).action(
    runs(async (name: string, options: ApplyOptions) => (await import("../commands/apply.ts")).run(name, options)),
  );

  withConnection(
    program
      .command("status")
      .summary("say how the streams of a live cluster are")
      .description(
        "Leaders, replicas, lag, fill and backlog, and every field that is not as declared. Its client cannot write.",
      )
      .argument("<environment>")
      .option("--target <stream...>", "look at these streams alone")
      .addOption(format())
      .addOption(json()),
  ).action(
    runs(async (name: string, options: StatusOptions) => (await import("../commands/status.ts")).run(name, options)),
  );

  withConnection(
    program
      .command("audit")
      .summary("say who changed what, and who failed to log in")
      .description(
        "Reads what the servers reported about streams, consumers and logins. Its client cannot write and leaves no trace.",
      )
      .argument("<environment>")
      .option("--since <time>", "how far back: 24h, 7d, or a date such as 2026-11-22T04:00Z", "7d")
      .option("--failed-logins", "only who failed to log in")
      .option("--identities <file>", "names for public keys: what identity list --json prints")
      .addOption(json()),
  ).action(
    runs(async (name: string, options: AuditOptions) => (await import("../commands/audit.ts")).run(name, options)),
  );

  withConnection(
    program
      .command("import")
      .summary("print definitions of streams that exist")
      .description(
        "Prints a stream file made of StreamConfig and ConsumerConfig documents, or of everything on a live server.",
      )
      .argument("[files...]", "JSON documents; without any, the server is asked")
      .requiredOption("--env <name>", "environment whose rules they are checked by"),
  ).action(
    runs(async (files: string[], options: ImportOptions) =>
      (await import("../commands/import.ts")).run(files, options),
    ),
  );
}
