/** Runs programs of the system: ip, nft, nsenter. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/** Where the system keeps them; containers search the same folders, and `/usr/local/bin` first. */
export const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Runs a program to its end. @throws Error with what it said, where it fails or is not there */
export async function run(program: string, args: readonly string[], input = ""): Promise<string> {
  const child = spawn(program, args, { env: { PATH } });
  const ended = new Promise<number | null>((done, fail) => child.once("error", fail).once("close", done));
  child.stdin.on("error", () => {}).end(input);
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code === 0) return stdout;
  throw new Error(
    `${program} ${args.join(" ")} (exit code ${code}): ${(stderr || stdout).trim() || "it said nothing"}`,
  );
}

/** Sends a signal to a process, or with a negative number to a group; none is sent to what has just ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  // 0 would be this process and everything that it has started.
  if (pid === 0) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** For `sh`. */
export const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
