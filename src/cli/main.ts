/** Every command with its options. What a command needs is loaded when it runs, so that no command pays for another. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError, Option } from "commander";
import type { AccessOptions } from "./commands/access.ts";
import type { ApplyOptions } from "./commands/apply.ts";
import type { AuditOptions } from "./commands/audit.ts";
import type { CheckOptions } from "./commands/check.ts";
import type { DashboardsOptions } from "./commands/dashboards.ts";
import type { ExplainOptions } from "./commands/explain.ts";
import type { ImportOptions } from "./commands/import.ts";
import type { PlanOptions } from "./commands/plan.ts";
import type { ShowOptions } from "./commands/show.ts";
import type { StatusOptions } from "./commands/status.ts";
import type { SynthOptions } from "./commands/synth.ts";
import { withConnection } from "./connection.ts";
import { type ExitCode, exitCodeMeanings, exitCodes } from "./exit-codes.ts";
import { Failure, UsageError } from "./failures.ts";
import { declareIdentity } from "./identity-options.ts";
import { log, tolerateClosedPipes } from "./output/terminal.ts";

/**
 * Runs the command that `argv` names and sets the exit code of the process.
 *
 * @param argv arguments after the program's name
 * @param root the repository's folder
 */
export async function main(argv: readonly string[], root: string): Promise<void> {
  tolerateClosedPipes();
  try {
    await declare(root).parseAsync(argv, { from: "user" });
  } catch (error) {
    process.exitCode = await failed(error);
    // nats 2.29 leaves the socket of a server that never spoke open, and the process would wait for it for ever.
    if ((error as Error | undefined)?.name === "ConnectionFailure") process.exit();
  }
}

function declare(root: string): Command {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const program = new Command("circl")
    .usage("<command> [options]")
    .description("NATS JetStream and Tile38 on Kubernetes as typed code.")
    .version(version)
    .configureHelp({ helpWidth: 80 })
    .exitOverride()
    .addHelpText("before", "Example:\n  circl check && circl synth && git diff dist\n")
    .addHelpText("after", epilogue);
  const json = () => new Option("--json", "one JSON document on stdout");

  program
    .command("check")
    .summary("say everything that is wrong or doubtful")
    .description("Runs every rule on the definitions and on the manifests they give. Writes nothing.")
    .argument("[environments...]", "which ones (default: all)")
    .option("--verbose", "say why for warnings too")
    .addOption(json())
    .action(
      runs(async (names: string[], options: CheckOptions) => (await import("./commands/check.ts")).run(names, options)),
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
        (await import("./commands/explain.ts")).run(codes, options),
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
    .addOption(new Option("--json", "the wire configurations of streams and consumers"))
    .action(
      runs(async (name: string, options: ShowOptions) => (await import("./commands/show.ts")).run(name, options)),
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
    .addOption(json())
    .action(
      runs(async (name: string, options: AccessOptions) => (await import("./commands/access.ts")).run(name, options)),
    );

  program
    .command("dashboards")
    .summary("say what Grafana shows of an environment")
    .description("Says which questions each dashboard answers, what a bad answer means and which alert calls for it.")
    .argument("<environment>")
    .addOption(new Option("--format <format>", "markdown is docs/dashboards.md").choices(["text", "markdown"]))
    .addOption(new Option("--json", "with the queries, one JSON document on stdout").conflicts("format"))
    .action(
      runs(async (name: string, options: DashboardsOptions) =>
        (await import("./commands/dashboards.ts")).run(name, options),
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
        (await import("./commands/synth.ts")).run(names, options, root),
      ),
    );

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
      .addOption(
        new Option("--format <format>", "markdown is for pull requests")
          .choices(["text", "markdown"])
          .conflicts("json"),
      )
      .addOption(json()),
  ).action(runs(async (name: string, options: PlanOptions) => (await import("./commands/plan.ts")).run(name, options)));

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
      .option("--allow-delete <name...>", "delete these, if they are ours and no longer declared")
      .option("--recreate <consumer...>", "delete and create these (stream/consumer), each behind its ack floor")
      .option(
        "--retention-step <duration>",
        "let age limits fall by this at most, for example 7d; apply again for the rest",
      )
      .option("--allow-loss <stream...>", "may lose the messages that the plan names")
      .option("--allow-irreversible <stream...>", "may take changes that cannot be taken back"),
  ).action(
    runs(async (name: string, options: ApplyOptions) => (await import("./commands/apply.ts")).run(name, options)),
  );

  withConnection(
    program
      .command("status")
      .summary("say how the streams of a live cluster are")
      .description("Leaders, replicas, lag, fill and backlog, against what is declared. Its client cannot write.")
      .argument("<environment>")
      .addOption(json()),
  ).action(
    runs(async (name: string, options: StatusOptions) => (await import("./commands/status.ts")).run(name, options)),
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
    runs(async (name: string, options: AuditOptions) => (await import("./commands/audit.ts")).run(name, options)),
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
    runs(async (files: string[], options: ImportOptions) => (await import("./commands/import.ts")).run(files, options)),
  );

  declareIdentity(program, runs);

  for (const command of [program, ...program.commands.flatMap((outer) => [outer, ...outer.commands])]) {
    command.showHelpAfterError(`Usage: ${command.createHelp().commandUsage(command)}`);
  }
  return program;
}

const epilogue = `
Exit codes:
${Object.entries(exitCodes)
  .map(([name, code]) => `  ${String(code).padEnd(5)}${exitCodeMeanings[name as keyof typeof exitCodes]}`)
  .join("\n")}

Environment variables:
  CDK8S_OUTDIR  where synth writes, unless --out says so
  CIRCL_SERVER and other twins of connection options; CIRCL_PASSWORD
  NO_COLOR      no colours; otherwise they appear on terminals only
  FORCE_COLOR   colours everywhere`;

/** Runs a command and takes its exit code; wrong arguments are reported with its usage, as Commander reports its own. */
const runs = <Arguments extends unknown[]>(command: (...args: Arguments) => Promise<ExitCode>) =>
  async function (this: Command, ...args: Arguments): Promise<void> {
    try {
      process.exitCode = await command(...args);
    } catch (error) {
      if (error instanceof UsageError) this.error(`error: ${error.message}`);
      throw error;
    }
  };

/** Failures of rooms that only some commands load, known by name; their messages say what to do. */
const EXPECTED = [
  "ConnectionFailure",
  "WrongCluster",
  "ApiError",
  "LockHeld",
  "CannotDelete",
  "CannotRecreate",
  "StoreFailure",
  "Impossible",
  "BrokenDocument",
  "NotCaptured",
];

async function failed(error: unknown): Promise<ExitCode> {
  // Commander has printed what is wrong by now, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof Failure || EXPECTED.includes((error as Error | undefined)?.name ?? "")) {
    log(`error: ${(error as Error).message}`);
    return exitCodes.problems;
  }
  const { renderFailure } = await import("./output/failure.ts");
  log(`This is a fault of circl itself:\n${renderFailure(error)}`);
  return exitCodes.problems;
}
