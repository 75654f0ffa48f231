/** Disks with a size that holds: filesystems in files of this machine, where a folder would take as much as the machine has. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface LoopDisks extends Disposable {
  /** Makes a disk of a claim's size, as Kubernetes says it. @returns where it is mounted */
  readonly make: (size: string) => string;
  /** Bytes that the fullest disk has left, of those that its user may write. */
  readonly leastFree: () => number;
}

/** What tells whether a disk can be made here at all. */
const TRIAL = "16Mi";

/**
 * Made with what a cloud disk is made with; unmounted and removed by disposal.
 *
 * @throws Error where this machine can make none: pods would else wait for theirs until somebody gives up
 */
export function makeLoopDisks(): LoopDisks {
  const disks = openFolder();
  try {
    disks.make(TRIAL);
    disks[Symbol.dispose]();
    return openFolder();
  } catch (cause) {
    disks[Symbol.dispose]();
    const takes = "mkfs.ext4 (Debian: apt-get install e2fsprogs), root, and loop devices (modprobe loop)";
    throw new Error(`no disk can be made here, which takes ${takes}: ${(cause as Error).message}`, { cause });
  }
}

function openFolder(): LoopDisks {
  const folder = mkdtempSync(join(tmpdir(), "circl-disks-"));
  const mounts: string[] = [];
  return {
    make: (size) => {
      const mount = join(folder, `mount-${mounts.length}`);
      const file = join(folder, `disk-${mounts.length}.img`);
      mkdirSync(mount);
      // "2Gi" of Kubernetes is "2G" of truncate.
      execFileSync("truncate", [`--size=${size.replace(/i$/, "")}`, file]);
      execFileSync("mkfs.ext4", ["-q", "-m", "0", file]);
      execFileSync("mount", ["-o", "loop", file, mount]);
      mounts.push(mount);
      return mount;
    },
    leastFree: () =>
      Math.min(
        ...mounts.map((mount) => {
          const { bavail, bsize } = statfsSync(mount);
          return bavail * bsize;
        }),
      ),
    [Symbol.dispose]() {
      for (const mount of mounts.splice(0)) execFileSync("umount", [mount]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
