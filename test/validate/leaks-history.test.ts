/** No commit, on any branch, ever added a secret: what was taken out of the files is in the history for ever. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { nkeys } from "nats";
import { expect, test } from "vitest";
import { root, temporaryFolder } from "../cli/circl.ts";
import { found } from "../support/secrets.ts";

const git = (cwd: string, ...args: string[]) => spawnSync("git", args, { cwd, encoding: "utf8" });

/** Every line that a commit added, and every message, as it comes: a history does not fit in memory. */
async function leaksOf(cwd: string): Promise<{ leaks: readonly string[]; lines: number }> {
  // As Git stores it: a driver of .gitattributes could show something else. A merge shows what it brings in itself.
  const args = [
    "log",
    "-p",
    "--all",
    "--no-textconv",
    "--no-ext-diff",
    "--no-color",
    "--text",
    "--diff-merges=first-parent",
  ];
  const log = spawn("git", [...args, "--format=commit %H%n%B"], { cwd, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(log, "close");
  const leaks = new Set<string>();
  let [commit, file, before, lines] = ["", "", "", 0];
  for await (const line of createInterface({ input: log.stdout })) {
    lines++;
    if (/^commit [0-9a-f]{40}$/.test(line)) [commit, file, before] = [line, "the message", ""];
    else if (line.startsWith("+++ ")) [file, before] = [line.slice(6), ""];
    else if (file === "the message" || line.startsWith("+")) {
      const text = file === "the message" ? line : line.slice(1);
      // The first line of a key says what it is, and the second that it is one.
      for (const kind of found(file, `${before}\n${text}`)) leaks.add(`${commit} ${file}: ${kind}`);
      before = text;
    }
  }
  expect(await ended).toEqual([0, null]);
  return { leaks: [...leaks], lines };
}

const shallow = git(root, "rev-parse", "--is-shallow-repository").stdout.trim() === "true";
if (shallow) process.stderr.write("\nSHALLOW CLONE: only the commits that are here are looked through for secrets\n\n");

test("no commit that is here added a secret", async () => {
  const { leaks, lines } = await leaksOf(root);
  expect(lines).toBeGreaterThan(shallow ? 0 : 10_000);
  expect(leaks).toEqual([]);
});

test("one that was taken out again is found, in a file, in a message and on another branch", async () => {
  using folder = temporaryFolder();
  const seed = () => new TextDecoder().decode(nkeys.createUser().getSeed());
  const run = (...args: string[]) =>
    expect(
      git(folder.path, "-c", "commit.gpgsign=false", "-c", "user.name=t", "-c", "user.email=t@localhost", ...args),
    ).toMatchObject({ status: 0 });
  const commit = (text: string, message: string) => {
    writeFileSync(join(folder.path, "key"), text);
    run("add", "--all");
    run("commit", "--quiet", "--message", message);
  };
  run("init", "--quiet");
  commit("nothing\n", "first");
  commit(`-----BEGIN ${"PRIVATE KEY"}-----\n${"A".repeat(64)}\n`, "second");
  commit("nothing\n", "third");
  commit("nothing else\n", `fourth\n\nwith ${seed()}`);
  run("checkout", "--quiet", "-b", "other");
  commit(`nats.nk: ${seed()}\n`, "fifth");
  run("checkout", "--quiet", "-");
  const { leaks } = await leaksOf(folder.path);
  const kinds = leaks.map((leak) => leak.replace(/^commit [0-9a-f]{40} /, ""));
  expect(kinds.sort()).toEqual(["key: private key", "key: seed of an NKey", "the message: seed of an NKey"]);
});
