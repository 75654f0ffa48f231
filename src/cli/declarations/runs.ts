/** What every declaration of a command shares. */
import { type Command, Option } from "commander";
import type { ExitCode } from "../exit-codes.ts";
import { UsageError } from "../failures.ts";
import { visible } from "../output/visible.ts";

export const json = (): Option => new Option("--json", "one JSON document on stdout");

/** Runs a command and takes its exit code; wrong arguments are reported with its usage, as Commander reports its own. */
export const runs = <Arguments extends unknown[]>(command: (...args: Arguments) => Promise<ExitCode>) =>
  async function (this: Command, ...args: Arguments): Promise<void> {
    try {
      process.exitCode = await command(...args);
    } catch (error) {
      if (error instanceof UsageError) this.error(`error: ${visible(error.message)}`);
      throw error;
    }
  };
