/** Lets one process at a time build a tool. */
import { lstat, readlink, rm, symlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Longer than any build; after it the owner's process id may belong to another program. */
const HOUR_MS = 3_600_000;

/**
 * Waits for the lock at `path`; the answer gives it back. The lock is a symbolic link to the owner's process id: made and
 * filled in one step. One whose owner is gone is removed. Two processes may do that at once and both go on; then the worst
 * is that one builds in vain, as binaries are moved into place whole.
 * @param {string} path @param {(owner: number) => void} onWait called once, if another process has the lock
 */
export async function lock(path, onWait) {
  for (let waited = false; ; waited = true) {
    try {
      await symlink(String(process.pid), path);
      return () => rm(path, { force: true });
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    const owner = Number(await readlink(path).catch(() => "0"));
    const since = (await lstat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (owner > 0 && (!isAlive(owner) || Date.now() - since > HOUR_MS)) await rm(path, { force: true });
    else if (!waited) onWait(owner);
    await sleep(200);
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
