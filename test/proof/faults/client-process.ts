/**
 * Runs a load in a process of its own: what the test does meanwhile, node agents included, costs it no time, and it can stand
 * in the network of a pod, where names, Services and network policies are those of a client.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Load, LoadInput } from "./load.ts";

type LoadPlan = Omit<LoadInput, "connect">;

export type Call =
  | { readonly what: "start"; readonly input: LoadPlan }
  | { readonly what: "more"; readonly count: number }
  | { readonly what: "lap" | "stop" };
export type Reply = { readonly id: number } & ({ readonly value?: unknown } | { readonly error: string });

export interface ClientProcess extends AsyncDisposable {
  readonly pid: number;
  /** Connects everybody and begins. One load at a time. */
  readonly start: (input: LoadPlan) => Promise<RemoteLoad>;
}
/** As a load, from another process. */
export type RemoteLoad = Omit<Load, "lap" | "end"> & { readonly lap: () => Promise<ReturnType<Load["lap"]>> };

export interface ClientProcessInput {
  /** Folder with a folder for each identity, as its Secret is mounted. */
  readonly secrets: string;
  /** The network that it has: that of a process, with a file for /etc/hosts. @default this machine's own */
  readonly inside?: { readonly pid: number; readonly hosts: string };
}

/** Ends with this process at the latest. @throws Error where the other process fails */
export async function startClientProcess({ secrets, inside }: ClientProcessInput): Promise<ClientProcess> {
  const folder = mkdtempSync(join(tmpdir(), "circl-clients-"));
  const outfile = join(folder, "client.cjs");
  const entryPoints = [fileURLToPath(new URL("client-main.ts", import.meta.url))];
  await build({ entryPoints, bundle: true, platform: "node", format: "cjs", outfile, logLevel: "error" });
  // Pods here find names in a file. The package asks DNS first, and must be told at once that nobody answers.
  const resolver = join(folder, "resolv.conf");
  writeFileSync(resolver, "nameserver 127.0.0.1\n");
  const named = 'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';
  const enter = inside
    ? ["nsenter", `--net=/proc/${inside.pid}/ns/net`, "unshare", "--mount", "sh", "-c", named, inside.hosts, resolver]
    : [];
  const [program = "", ...args] = [...enter, process.execPath, outfile, secrets];
  const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  await once(child, "spawn");
  const call = caller(child);
  return {
    pid: child.pid ?? 0,
    start: async (input) => {
      await call({ what: "start", input });
      return {
        more: (count) => call({ what: "more", count }),
        lap: () => call({ what: "lap" }),
        stop: () => call({ what: "stop" }),
      };
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Sends calls and hands out their replies. */
function caller(child: ChildProcess): <T>(call: Call) => Promise<T> {
  const open = new Map<number, (reply: Reply) => void>();
  let last = 0;
  child.on("message", (reply: Reply) => open.get(reply.id)?.(reply));
  child.once("exit", (code) => {
    for (const [id, answer] of open) answer({ id, error: `the clients' process ended with ${code}` });
  });
  return async <T>(call: Call) => {
    if (!child.connected) throw new Error("the clients' process has ended");
    const id = ++last;
    const replied = new Promise<Reply>((done) => open.set(id, done));
    child.send({ id, call });
    const reply = await replied;
    open.delete(id);
    if ("error" in reply) throw new Error(reply.error);
    return reply.value as T;
  };
}
