/** Children of this process that the terminal's Ctrl-C does not reach. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

export type Child<Input extends Writable | null = null> = ChildProcessByStdio<Input, Readable, Readable>;

const children = new Set<ChildProcess>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ends a child with all that it has started: gcloud is a script around another program, and kubectl has plugins that log it in. */
export function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

const endAll = (): void => {
  for (const child of children) endGroup(child);
};

/** Nobody else listens: the signal ends this process, and its children with it. */
const endWith = (signal: NodeJS.Signals): void => {
  if (process.listenerCount(signal) > 1) return;
  endAll();
  process.off(signal, endWith);
  process.kill(process.pid, signal);
};

/** Of a program that is given something to read. */
interface Reading {
  readonly stdin: "pipe";
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Starts a program in a group of its own: a terminal sends Ctrl-C to the whole group in front of it, and who wants to stop at a safe
 * place needs the program until there. It ends with this process at the latest, and so does all that it has started.
 */
export function spawnApart(program: string, args: readonly string[]): Child;
export function spawnApart(program: string, args: readonly string[], reading: Reading): Child<Writable>;
export function spawnApart(program: string, args: readonly string[], reading?: Reading): ChildProcess {
  const { stdin = "ignore", env = process.env } = reading ?? {};
  const child = spawn(program, args, { env, stdio: [stdin, "pipe", "pipe"], detached: true });
  if (children.size === 0) {
    process.on("exit", endAll);
    for (const signal of SIGNALS) process.on(signal, endWith);
  }
  children.add(child);
  const forget = () => {
    if (!children.delete(child) || children.size > 0) return;
    process.off("exit", endAll);
    for (const signal of SIGNALS) process.off(signal, endWith);
  };
  // Closed, nothing that it has started holds its output any more.
  child.once("close", forget).once("error", forget);
  return child;
}
