/** The pages of docs/runbooks and the commands in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../docs/runbooks", import.meta.url));

export interface Page {
  /** The alert, or README. */
  readonly name: string;
  readonly text: string;
  /** Lines of its shell blocks, and of what it quotes as a command in its text; without the file that a line ends in. */
  readonly commands: readonly string[];
}

export const pages: readonly Page[] = readdirSync(folder).map((file) => {
  const text = readFileSync(join(folder, file), "utf8");
  return { name: file.replace(/\.md$/, ""), text, commands: commandsIn(text) };
});

function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) =>
    block
      .trim()
      .split("\n")
      .map((line) => line.replace(/( \| (base64 -d|jq -r \.seed))?( > \S+)?$/, "")),
  );
  const quoted = [...text.replace(/^```.*?^```$/gms, "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) =>
    code.replace(/\s+/g, " "),
  );
  return [...blocks, ...quoted.filter((code) => /^(bin\/circl|circl|kubectl|nats) /.test(code))];
}

/** Words of a command line as a shell would split them; nothing else of a shell is used in the pages. */
export const wordsOf = (command: string): string[] =>
  [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
