/** Files of a volume as a kubelet writes them: a reader sees all of one version or all of the next, never half of each. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

export interface VolumeFile {
  readonly content: Buffer;
  readonly mode: number;
}

/** Replaces what is in `folder`: files lie in a folder of their version, `..data` points there, and each name goes by `..data`. */
export function writeAtomically(
  folder: string,
  files: ReadonlyMap<string, VolumeFile>,
  group: number | undefined,
): void {
  mkdirSync(folder, { recursive: true });
  const version = mkdtempSync(join(folder, "..version_"));
  chmodSync(version, 0o755);
  for (const [path, { content, mode }] of files) {
    const file = join(version, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    // The group of the pod reads whatever its owner reads.
    chmodSync(file, group === undefined ? mode : mode | ((mode & 0o400) >> 3));
    if (group !== undefined) chownSync(file, 0, group);
  }
  const data = join(folder, "..data");
  const before = linkOf(data);
  symlinkSync(version.slice(folder.length + 1), `${data}_tmp`);
  renameSync(`${data}_tmp`, data);
  const names = new Set([...files.keys()].map((path) => path.split("/")[0] ?? path));
  const present = readdirSync(folder).filter((name) => !name.startsWith(".."));
  for (const name of names) if (!present.includes(name)) symlinkSync(join("..data", name), join(folder, name));
  for (const name of present) if (!names.has(name)) rmSync(join(folder, name));
  if (before) rmSync(join(folder, before), { recursive: true });
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
