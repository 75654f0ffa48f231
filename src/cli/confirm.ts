/** The one question before something that cannot be taken back. */
import { createInterface } from "node:readline/promises";
import { Unanswered } from "./failures.ts";
import { log } from "./output/terminal.ts";

/**
 * Asks a person on a terminal; anything but "yes" is a no, and `otherwise` ("Nothing was applied") is said.
 * @param unasked the way out where there is no terminal
 * @throws Unanswered after Ctrl-C and Ctrl-D
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
  // Both close it. What was asked for is then rejected, or as in Node 20 with Ctrl-D never answered.
  const closed = new Promise<undefined>((resolve) => dialogue.once("close", () => resolve(undefined)));
  const asked = dialogue.question(`${question} Only "yes" is taken: `).catch((error: Error) => {
    if (error.name !== "AbortError") throw error;
  });
  const answer = await Promise.race([asked, closed]);
  dialogue.close();
  if (answer === undefined) throw new Unanswered(`\n${otherwise}: interrupted.`);
  if (answer === "yes") return true;
  log(`${otherwise}.`);
  return false;
}
