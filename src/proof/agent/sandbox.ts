/** What the containers of a pod share: network, host name and process ids. It lives as long as its first process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PATH, run, signal } from "../system.ts";

export interface Sandbox extends AsyncDisposable {
  /** Of the first process, as the machine sees it. */
  readonly pid: number;
  /** Replaces the packet filter of its network. @throws Error with what nft said */
  filter(rules: string): Promise<void>;
}

/** Says its pid as the machine sees it, then takes in processes that lost their parent. */
const FIRST =
  'read -r pid _ </proc/self/stat; hostname "$0"; echo "$pid"; exec >&-; while :; do sleep 1000000 & wait; done';

/**
 * Starts a sandbox. The kernel ends it, and with it every process of the pod, where the thread that started it ends:
 * processes of a pid namespace end with its first, and that one is bound to its parent.
 *
 * @throws Error where the user may not make namespaces
 */
export async function startSandbox(hostname: string): Promise<Sandbox> {
  const unshare = ["unshare", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child=KILL"];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...unshare, "sh", "-c", FIRST, hostname], {
    env: { PATH },
    cwd: "/",
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = once(child, "exit");
  const said = once(createInterface({ input: child.stdout }), "line");
  const [first] = await Promise.race([said, exited]);
  const pid = Number(first);
  if (typeof first !== "string" || !(pid > 0)) {
    throw new Error("a pod cannot be given a network and processes of its own: it takes Linux and root");
  }
  return {
    pid,
    async filter(rules) {
      await run("nsenter", [`--net=/proc/${pid}/ns/net`, "nft", "--file", "-"], rules);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) signal(pid, "SIGKILL");
      await exited;
    },
  };
}
