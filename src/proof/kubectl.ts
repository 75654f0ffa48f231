/** Runs kubectl against a control plane of the proof. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { Program } from "./program.ts";

/**
 * Runs kubectl and returns what it printed on stdout; `input` goes to its stdin.
 *
 * @throws KubectlFailure where its exit code is not 0
 */
export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

export interface KubectlInput {
  /** The executable. */
  readonly path: string;
  readonly kubeconfig: string;
  /** Takes its cache, which would else land in the user's home. */
  readonly home: string;
  /** Whose end explains a failure better than kubectl can. */
  readonly programs: readonly Program[];
  readonly signal?: AbortSignal;
}

export class KubectlFailure extends Error {
  readonly exitCode: number | null;
  readonly stdout: string;

  constructor(message: string, exitCode: number | null, stdout: string, cause: Error | undefined) {
    super(message, { cause });
    this.name = "KubectlFailure";
    this.exitCode = exitCode;
    this.stdout = stdout;
  }
}

/** A `kubectl` that talks to one control plane. */
export function kubectlWith({ path, kubeconfig, home, programs, signal }: KubectlInput): Kubectl {
  return async (args, input = "") => {
    const child = spawn(path, args, {
      env: { PATH: process.env.PATH, HOME: home, KUBECONFIG: kubeconfig },
      ...(signal && { signal }),
    });
    const ended = new Promise<number | null>((done, fail) => child.once("error", fail).once("close", done));
    // It may end before it has read its input; its exit code tells.
    child.stdin.on("error", () => {}).end(input);
    const [exitCode, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    if (exitCode === 0) return stdout;
    const dead = programs.flatMap((program) => program.failure() ?? []);
    const said = (stderr || stdout).trim() || "it said nothing";
    const message = [
      `kubectl ${args.join(" ")} (exit code ${exitCode}): ${said}`,
      ...dead.map(({ message }) => message),
    ];
    throw new KubectlFailure(message.join("\n"), exitCode, stdout, dead[0]);
  };
}
