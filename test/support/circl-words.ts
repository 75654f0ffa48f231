/** Whether a circl command that somebody is told to type is declared, with every option that it names. */
import { circl } from "../cli/circl.ts";

/** Commands with commands of their own are one name. */
const NESTED = ["identity"];
const help = new Map<string, Promise<string | undefined>>();

/** What is wrong with the words behind `circl`; nothing where the command and its options exist. */
export async function faultsOfCircl(words: readonly string[]): Promise<string[]> {
  const depth = NESTED.includes(words[0] ?? "") ? 2 : 1;
  const name = words.slice(0, depth).join(" ");
  if (!help.has(name)) help.set(name, helpOf(name));
  const text = await help.get(name);
  if (text === undefined) return [`no circl ${name}`];
  return words.slice(depth).filter((word) => word.startsWith("--") && !text.includes(`${word} `));
}

async function helpOf(name: string): Promise<string | undefined> {
  const { code, stdout } = await circl([...name.split(" "), "--help"]);
  return code === 0 && stdout.includes(`circl ${name}`) ? stdout : undefined;
}
