/** Every command. What one needs is loaded when it runs, so that no command pays for another. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { declareDefinitions } from "./declarations/definitions.ts";
import { declareDeploy } from "./declarations/deploy.ts";
import { declareIdentity } from "./declarations/identity.ts";
import { declareProof } from "./declarations/proof.ts";
import { declareStreams } from "./declarations/streams.ts";
import { type ExitCode, exitCodeMeanings, exitCodes } from "./exit-codes.ts";
import { Failure, Unanswered } from "./failures.ts";
import { log, tolerateClosedPipes } from "./output/terminal.ts";
import { visible } from "./output/visible.ts";

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

  program.commandsGroup("Definitions and manifests:");
  declareDefinitions(program, root);
  declareProof(program, root);
  program.commandsGroup("Streams of a live cluster:");
  declareStreams(program);
  program.commandsGroup("A Kubernetes cluster:");
  declareDeploy(program, root);
  declareIdentity(program);

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

/** Failures of rooms that only some commands load, known by name; their messages say what to do. */
const EXPECTED = [
  "ConnectionFailure",
  "WrongCluster",
  "ServerTooOld",
  "ApiError",
  "LockHeld",
  "LeaveMissing",
  "AlreadyRunning",
  "StepFailure",
  "CannotDelete",
  "CannotRecreate",
  "StoreFailure",
  "Impossible",
  "BrokenDocument",
  "NotCaptured",
  "CannotProve",
  "KubectlFailure",
];

async function failed(error: unknown): Promise<ExitCode> {
  // Commander has printed what is wrong by now, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof Failure || EXPECTED.includes((error as Error | undefined)?.name ?? "")) {
    const { message, name } = error as Error;
    // Only these lay out lines of their own; what others hold may come from a server, or whoever spoke to it.
    const lines = error instanceof Failure || name === "Impossible" ? message.split("\n") : [message];
    log(`error: ${lines.map(visible).join("\n")}`);
    return exitCodes.problems;
  }
  if (error instanceof Unanswered) {
    log(error.message);
    return exitCodes.interrupted;
  }
  const { renderFailure } = await import("./output/failure.ts");
  log(`This is a fault of circl itself:\n${renderFailure(error)}`);
  return exitCodes.problems;
}
