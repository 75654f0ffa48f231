/** Children of this process that the terminal's Ctrl-C does not reach. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";

export type Child = ChildProcessByStdio<null, Readable, Readable>;

const children = new Set<Child>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const endAll = (): void => {
  for (const child of children) child.kill();
};

/** Nobody else listens: the signal ends this process, and its children with it. */
const endWith = (signal: NodeJS.Signals): void => {
  if (process.listenerCount(signal) > 1) return;
  endAll();
  process.off(signal, endWith);
  process.kill(process.pid, signal);
};

/**
 * Starts a program that reads nothing, in a group of its own: a terminal sends Ctrl-C to the whole group in front of it, and who wants to
 * stop at a safe place needs the connection until there. It ends with this process at the latest.
 */
export function spawnApart(program: string, args: readonly string[]): Child {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
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
  child.once("exit", forget).once("error", forget);
  return child;
}
