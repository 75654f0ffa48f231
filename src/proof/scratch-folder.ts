/** A temporary folder that goes with whoever made it, even where that is killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Reads until this process closes the pipe, which its death does too. Programs that are dying may write once more. */
const SWEEPER = 'read -r _; for attempt in 1 2 3 4 5 6 7 8 9; do rm -rf "$0" && exit; sleep 1; done; exit 1';

interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes a folder below the system's temporary one, for its owner alone; disposal removes it. */
export async function makeScratchFolder(prefix: string): Promise<ScratchFolder> {
  const path = mkdtempSync(join(tmpdir(), prefix));
  const sweeper = spawn("sh", ["-c", SWEEPER, path], { cwd: "/", detached: true, stdio: ["pipe", "ignore", "ignore"] });
  await once(sweeper, "spawn");
  const ended = once(sweeper, "exit");
  return {
    path,
    async [Symbol.asyncDispose]() {
      sweeper.stdin.end();
      const [code] = await ended;
      if (code !== 0) throw new Error(`${path} cannot be removed: see who still uses it, then remove it by hand`);
    },
  };
}
