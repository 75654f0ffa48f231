/** docs/ci.md: what it tells people to type, and where that runs. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../cli/circl.ts";
import { commandsOf, workflows } from "./workflows.ts";

export const page = readFileSync(join(root, "docs/ci.md"), "utf8");

/** Shell blocks that the page marks, in their order: each part is one visit of a person to one shell. */
export const blocksThatRun = (where: "without a cluster" | "with a cluster"): string[] =>
  [...page.matchAll(new RegExp(`^<!-- runs ${where}[^>]*-->\n\`\`\`sh\n(.*?)^\`\`\`$`, "gms"))].map(
    ([, block = ""]) => block,
  );

const withoutComments = (script: string): string =>
  readFileSync(join(root, ".ci", script), "utf8").replace(/^\s*#.*$/gm, "");

/** Everything of the pipeline that a shell reads, by where it stands. */
export const shellTexts: Readonly<Record<string, string>> = {
  "docs/ci.md": page,
  "docs/gitops.md": readFileSync(join(root, "docs/gitops.md"), "utf8"),
  ...Object.fromEntries(Object.entries(workflows).map(([file, text]) => [file, commandsOf(text).join("\n")])),
  ...Object.fromEntries(readdirSync(join(root, ".ci")).map((file) => [`.ci/${file}`, withoutComments(file)])),
};

/** Words behind `bin/circl`, for every call in a text; what stands in a sentence may be the beginning of a call alone. */
export const circlCallsIn = (text: string): string[][] =>
  [...text.matchAll(/bin\/circl"? ([a-z][^|>;)&`\n]*)/g)].map(([, words = ""]) => words.trim().split(/\s+/));

/** Scripts of .ci that a text calls. */
export const scriptsIn = (text: string): string[] =>
  [...text.matchAll(/\.ci\/([a-z]+)\b/g)].map(([, name = ""]) => name);
