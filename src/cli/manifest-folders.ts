/**
 * The folders of dist. New ones are written beside the old and swapped in by rename: whatever happens in between, each
 * folder is the old or the new one, never a mixture.
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "./failures.ts";

/** Files that synth writes. A folder that holds anything else is not touched. */
const ourFile = /^(\d\d-[a-z0-9-]+\.k8s\.yaml|Kustomization)$/;
const leftover = /^\.(.+)\.(new|old)-(\d+)$/;

/** Where the new folder `name` is written first: in `out`, so that the rename stays within one file system. */
export const freshFolder = (out: string, name: string): string => join(out, `.${name}.new-${process.pid}`);
const oldFolder = (out: string, name: string): string => join(out, `.${name}.old-${process.pid}`);

/** Writes each folder `name` of `out` by `write`, which gets nothing to see of the old one. All are written before the first swap. */
export function replaceFolders(out: string, names: readonly string[], write: (name: string) => void): void {
  mkdirSync(out, { recursive: true });
  clearLeftovers(out);
  for (const name of names) refuseForeign(join(out, name));
  try {
    for (const name of names) write(name);
    for (const name of names) swapIn(out, name);
  } finally {
    for (const name of names) rmSync(freshFolder(out, name), { recursive: true, force: true });
  }
}

/** Removes folders in `out` that synth once wrote and that are none of `names`. Returns their names. */
export function removeStale(out: string, names: readonly string[]): string[] {
  const stale = readdirSync(out, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !names.includes(entry.name))
    .map(({ name }) => name)
    .filter((name) => {
      const files = entriesOf(join(out, name)) ?? [];
      return files.some((file) => file.endsWith(".k8s.yaml")) && files.every((file) => ourFile.test(file));
    });
  for (const name of stale) {
    renameSync(join(out, name), oldFolder(out, name));
    rmSync(oldFolder(out, name), { recursive: true });
  }
  return stale;
}

function swapIn(out: string, name: string): void {
  const target = join(out, name);
  const exists = entriesOf(target) !== undefined;
  if (exists) renameSync(target, oldFolder(out, name));
  try {
    renameSync(freshFolder(out, name), target);
  } catch (error) {
    if (exists) renameSync(oldFolder(out, name), target);
    throw error;
  }
  rmSync(oldFolder(out, name), { recursive: true, force: true });
}

/** What a killed process left: a folder it had moved aside without putting the new one in its place goes back. */
function clearLeftovers(out: string): void {
  for (const entry of readdirSync(out)) {
    const [, name = "", kind, pid] = leftover.exec(entry) ?? [];
    if (!kind || isRunning(Number(pid))) continue;
    if (kind === "old" && !entriesOf(join(out, name))) renameSync(join(out, entry), join(out, name));
    else rmSync(join(out, entry), { recursive: true, force: true });
  }
}

function refuseForeign(folder: string): void {
  const foreign = entriesOf(folder)?.find((file) => !ourFile.test(file));
  if (foreign === undefined) return;
  throw new Failure(
    `${folder} holds ${foreign}, which synth did not write, and the folder is replaced as a whole.\n` +
      "Move it away, or choose another place with --out.",
  );
}

/** Names in `folder`, or undefined where there is none. */
function entriesOf(folder: string): string[] | undefined {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Signal 0 asks only whether the process exists; EPERM means that it does and is someone else's. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
