/** `circl comment`: one comment for a pull request out of what other commands said in Markdown. */
import { readFileSync } from "node:fs";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { Failure } from "../failures.ts";
import { joinReports } from "../output/comment.ts";
import { print } from "../output/terminal.ts";

export async function run(files: readonly string[]): Promise<ExitCode> {
  print(joinReports(files.map(readReport)));
  return exitCodes.done;
}

/** @throws Failure for a file that cannot be read */
function readReport(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Failure(`${file} cannot be read. Make it: circl plan, access or diff with --format markdown > ${file}`, {
      cause,
    });
  }
}
