/** This checkout as somebody else has it: a repository of its own, whose history a test may make. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../cli/circl.ts";

const { CI: _, CDK8S_OUTDIR: __, ...inherited } = process.env;
const person = { NAME: "A Person", EMAIL: "person@circl.invalid" };
/** Environment of commands that commit. */
export const personAtGit: NodeJS.ProcessEnv = {
  ...inherited,
  ...Object.fromEntries(
    Object.entries(person).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  ),
};
/** The files as they are now, committed or not, as the one commit of a repository in `folder`. */
export function checkoutAs(folder: string): void {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: root });
  for (const file of listed
    .toString()
    .split("\0")
    .filter((name) => name && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(root, file), join(folder, file));
  }
  const commit = "git init --quiet && git add --all && git commit --quiet --message base";
  execFileSync("sh", ["-c", commit], { cwd: folder, env: personAtGit });
}
