/** What something that was started here may leave behind: processes, networks, mounts and files. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Traces {
  /** Ids of processes that name the folder in their command line. */
  readonly processes: readonly string[];
  /** Network namespaces that some process is in: each pod has one, whatever its processes are called. */
  readonly networks: readonly string[];
  /** Names of network cards and bridges. */
  readonly cards: readonly string[];
  /** Mounts of this machine that the folder takes part in. */
  readonly mounts: readonly string[];
  /** What lies in the folder. */
  readonly files: readonly string[];
}

/** As they are now. @param folder that takes temporary files, and nobody else's */
export const tracesOf = (folder: string): Traces => ({
  processes: processesIn(folder),
  networks: [...new Set(pids().map((pid) => ifThere(() => readlinkSync(`/proc/${pid}/ns/net`))))]
    .filter(Boolean)
    .sort(),
  cards: readdirSync("/sys/class/net").sort(),
  mounts: readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(folder)),
  files: readdirSync(folder),
});

/** Ids of processes that name a folder in their command line. */
export const processesIn = (folder: string): readonly string[] =>
  pids().filter((pid) => ifThere(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")).includes(folder));

const pids = (): readonly string[] => readdirSync("/proc").filter((name) => /^\d+$/.test(name));

/** Processes and their files may be gone between being listed and being read. */
export function ifThere(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
