/** The commands of the runbooks as the real `nats` command knows them. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { pages, wordsOf } from "../support/runbooks.ts";
import { tool, without } from "../support/tools.ts";

/** What the help says of the deepest command that `words` begin with. */
async function helpOf(words: readonly string[]): Promise<{ readonly depth: number; readonly text: string }> {
  for (let depth = words.length; depth > 0; depth--) {
    // It fails for a word that it does not expect.
    const run = promisify(execFile)(tool("nats-cli"), [...words.slice(0, depth), "--help"]);
    const { stdout } = await run.catch(() => ({ stdout: "" }));
    if (new RegExp(`^usage: nats ${words.slice(0, depth).join(" ")}( [[<]|$)`, "m").test(stdout))
      return { depth, text: stdout };
  }
  return { depth: 0, text: "" };
}

async function faultsOf(command: string): Promise<string[]> {
  const words = wordsOf(command).slice(1);
  const flags = words.filter((word) => word.startsWith("--"));
  // Up to the first value of an option or argument that is no word of a command.
  const plain = words.filter((word, i) => !word.startsWith("-") && words[i - 1] !== "--context");
  const end = plain.findIndex((word) => !/^[a-z-]+$/.test(word));
  const { depth, text } = await helpOf(end < 0 ? plain : plain.slice(0, end));
  if (depth === 0 || /<command>/.test(text.split("\n")[0] ?? "")) return [`no nats ${plain.join(" ")}`];
  return flags
    .filter((flag) => !new RegExp(`--(\\[no-\\])?${flag.slice(2)}\\b`).test(text))
    .map((flag) => `no ${flag}`);
}

describe.skipIf(without("nats-cli"))("the runbooks", () => {
  const commands = new Set(pages.flatMap((page) => page.commands).filter((command) => command.startsWith("nats ")));

  test("use the nats command, and a good part of it", () => {
    expect(commands.size).toBeGreaterThan(20);
  });

  test.each([...commands])("%s", async (command) => {
    expect(await faultsOf(command)).toEqual([]);
  });

  test.each([
    ["nats --context circl stream inform circl_iot", ["no nats stream inform circl_iot"]],
    ["nats --context circl stream info --all-of-it circl_iot", ["no --all-of-it"]],
  ])("%s would be found", async (command, faults) => {
    expect(await faultsOf(command)).toEqual(faults);
  });
});
