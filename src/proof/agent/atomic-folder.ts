/** Files of a volume as a kubelet writes them: a reader sees all of one version or all of the next, never half of each. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";

/**
 * Replaces what is in `folder`: files lie in a folder of their version, `..data` points there, and each name goes by `..data`.
 *
 * @param mode of each file; the group of the pod reads whatever its owner reads
 */
export function writeAtomically(
  folder: string,
  files: ReadonlyMap<string, Buffer>,
  mode: number,
  group: number | undefined,
): void {
  mkdirSync(folder, { recursive: true });
  const before = readdirSync(folder);
  const version = mkdtempSync(join(folder, "..version_"));
  chmodSync(version, 0o755);
  for (const [name, content] of files) {
    const file = join(version, name);
    writeFileSync(file, content);
    chmodSync(file, group === undefined ? mode : mode | ((mode & 0o400) >> 3));
    if (group !== undefined) chownSync(file, 0, group);
  }
  const data = join(folder, "..data");
  symlinkSync(basename(version), `${data}_tmp`);
  renameSync(`${data}_tmp`, data);
  for (const name of files.keys()) if (!before.includes(name)) symlinkSync(join("..data", name), join(folder, name));
  const old = before.filter((name) => name !== "..data" && !files.has(name));
  for (const name of old) rmSync(join(folder, name), { recursive: true });
}
