/** The one question before something that cannot be taken back. */
import { createInterface } from "node:readline/promises";
import { log } from "./output/terminal.ts";

/**
 * Asks a person on a terminal; anything but "yes" is a no, and `otherwise` ("Nothing was applied") is said.
 * @param unasked the way out where there is no terminal
 */
export async function confirmed(
  question: string,
  otherwise: string,
  unasked = "Give --auto-approve where that is meant.",
): Promise<boolean> {
  if (!process.stdin.isTTY) {
    log(`${otherwise}: there is nobody to ask. ${unasked}`);
    return false;
  }
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await dialogue.question(`${question} Only "yes" is taken: `);
  dialogue.close();
  if (answer === "yes") return true;
  log(`${otherwise}.`);
  return false;
}
