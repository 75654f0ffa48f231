/** Programs of the proof: started as children with a log each, watched until they answer, ended by pid. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { get as getPlain } from "node:http";
import { get as getSecure } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a program may take until it answers, in ms. It takes seconds on an idle machine; a busy one is no failure. */
const PATIENCE = 180_000;

export interface ProgramInput {
  readonly name: string;
  /** The executable. */
  readonly path: string;
  readonly args: readonly string[];
  /** Takes its log, as `<name>.log`, and is its working folder. */
  readonly folder: string;
  readonly health: Health;
}

/** Where a program says with status 200 that it is ready. */
export interface Health {
  readonly url: string;
  /** File with the certificate that it makes for itself as it starts. */
  readonly certificate?: string;
  readonly token?: string;
}

export interface Program {
  readonly name: string;
  readonly pid: number;
  /** What to say where the program has ended by itself; undefined while it runs. */
  failure(): Error | undefined;
  /** Resolves once it is ready. @throws Error with its last lines where it ends or never answers; what `signal` says */
  ready(signal?: AbortSignal): Promise<void>;
  /** Kills it and waits until it is gone. There is no state to save: the folder goes with it. */
  stop(): Promise<void>;
}

/**
 * Starts a program. It ends with the thread that started it, even where that is killed: `setpriv` has the kernel see to it.
 *
 * @throws Error where it cannot be started at all
 */
export async function startProgram({ name, path, args, folder, health }: ProgramInput): Promise<Program> {
  const log = join(folder, `${name}.log`);
  const output = openSync(log, "w");
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", path, ...args], {
    cwd: folder,
    // Ctrl-C in a terminal reaches every process of the group; these are ended in our order.
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  await once(child, "spawn").catch((cause: Error) => {
    throw new Error(`${name} cannot be started: ${cause.message}. It takes Linux with setpriv (package util-linux).`, {
      cause,
    });
  });
  const failure = () =>
    hasEnded(child)
      ? new Error(`${name} ended with ${child.exitCode ?? child.signalCode}.${lastLines(log)}`)
      : undefined;
  return {
    name,
    pid: child.pid ?? 0,
    failure,
    async ready(signal) {
      for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(100, undefined, signal ? { signal } : {})) {
        const failed = failure();
        if (failed) throw failed;
        if (await answers(health)) return;
      }
      throw new Error(`${name} does not answer on ${health.url} after ${PATIENCE / 1000} s.${lastLines(log)}`);
    },
    async stop() {
      if (hasEnded(child)) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** The end of a log and what to do next, for messages. */
function lastLines(log: string): string {
  const lines = readFileSync(log, "utf8").trimEnd().split("\n").slice(-15);
  return (
    ` Its last lines:\n  ${lines.join("\n  ")}\n` +
    "Run it again: ports are picked anew. If it stays, see that 1 GiB of memory is free, and build the program anew."
  );
}

/** Whether a program says that it is ready. No answer, or no certificate yet, is a no. */
async function answers({ url, certificate, token }: Health): Promise<boolean> {
  try {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const options = { headers, agent: false, timeout: 5_000 };
    const request = certificate
      ? getSecure(url, { ...options, ca: readFileSync(certificate) })
      : getPlain(url, options);
    request.on("timeout", () => request.destroy(new Error("no answer")));
    const [response] = await once(request, "response");
    response.resume();
    return response.statusCode === 200;
  } catch {
    return false;
  }
}
