/** `bin/circl proof` as a person runs it: what it says and exits with, how it is ended, and that nothing of it is left. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PORTS } from "../../../src/kubernetes/names.ts";
import { root } from "../../cli/circl.ts";
import { eventually } from "../../support/control-plane.ts";
import { cannotBoot } from "../../support/environment.ts";
import { tool } from "../../support/tools.ts";
import { type Traces, tracesOf } from "../../support/traces.ts";

/** Minutes: a busy machine boots an environment in a few. */
const PATIENCE = 30;

interface Run extends AsyncDisposable {
  /** Resolves once it has said so on stderr. @returns all that it has said there @throws where it ends without it */
  readonly says: (words: string) => Promise<string>;
  /** Sends a signal to it and to what it started in its group, as a terminal does. */
  readonly signal: (name: NodeJS.Signals) => void;
  /** Resolves at its end. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** Starts the command in a process group of its own. Killed by disposal, if it still runs. */
function startProof(scratch: string, ...args: readonly string[]): Run {
  const { FORCE_COLOR: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(root, "bin/circl"), "proof", ...args], {
    env: { ...env, TMPDIR: scratch, NO_COLOR: "1" },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  let over = false;
  child.stderr.setEncoding("utf8").on("data", (some: string) => {
    stderr += some;
  });
  const ended = Promise.all([once(child, "exit"), text(child.stdout)]).then(([[code], stdout]) => {
    over = true;
    return { code: code as number | null, stdout, stderr };
  });
  const signal = (name: NodeJS.Signals) => {
    if (!over) process.kill(-(child.pid as number), name);
  };
  return {
    ended,
    signal,
    says: async (words) => {
      await eventually(
        async () => stderr,
        (said) => said.includes(words) || over,
        `circl proof to say "${words}"`,
        PATIENCE,
      );
      expect(stderr).toContain(words);
      return stderr;
    },
    async [Symbol.asyncDispose]() {
      signal("SIGKILL");
      await ended;
    },
  };
}

describe.skipIf(cannotBoot())("circl proof", () => {
  let scratch: string;
  let before: Traces;
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), "circl-command-"));
    before = tracesOf(scratch);
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));
  /** What is here now and was not before: what ended shortly before may have gone since. */
  const left = (): Traces => {
    const now = tracesOf(scratch);
    const more = (kind: keyof Traces) => now[kind].filter((trace) => !before[kind].includes(trace));
    const [processes, networks, cards] = [more("processes"), more("networks"), more("cards")];
    return { processes, networks, cards, mounts: more("mounts"), files: more("files") };
  };
  /** The kernel takes a moment to clear away the networks of processes that have ended. */
  const expectNothingLeft = async () => {
    const nothing: Traces = { processes: [], networks: [], cards: [], mounts: [], files: [] };
    const isNothing = (traces: Traces) => JSON.stringify(traces) === JSON.stringify(nothing);
    expect(await eventually(async () => left(), isNothing, "nothing to be left")).toEqual(nothing);
  };

  test("proves staging, says so in one document, exits with 0, and leaves nothing", async () => {
    await using run = startProof(scratch, "staging", "--json");
    const { code, stdout, stderr } = await run.ended;
    expect(code, stderr).toBe(0);
    const { environment, holds, steps } = JSON.parse(stdout);
    expect({ environment, holds }).toEqual({ environment: "staging", holds: true });
    expect((steps as { readonly title: string }[]).map(({ title }) => title)).toEqual([
      "pods become ready",
      "servers are one cluster",
      "streams are applied",
      "replicas are current",
      "services exchange messages",
      "positions reach followers",
      "metrics are there",
      "a server is killed",
      "servers are rolled",
    ]);
    expect(steps.every((step: { readonly holds: boolean }) => step.holds)).toBe(true);
    await expectNothingLeft();
  });

  test("stays with --keep, says how to connect, and goes without a trace on Ctrl-C", async () => {
    await using run = startProof(scratch, "staging", "--short", "--keep");
    const said = await run.says("a node does. Their clients reach them");
    const [, kubeconfig = ""] = /export KUBECONFIG=(\S+)/.exec(said) ?? [];
    const [, ...args] = /^ +(kubectl get pods .*)$/m.exec(said)?.[1]?.split(" ") ?? [];
    const pods = execFileSync(tool("kubectl"), [...args, "--output=name"], {
      encoding: "utf8",
      env: { ...process.env, KUBECONFIG: kubeconfig, HOME: scratch },
    });
    expect(pods.trim().split("\n")).toContain("pod/nats-0");
    const [, address = ""] = /^ +nats-0 +(\S+)$/m.exec(said) ?? [];
    const reply = await fetch(`http://${address}:${PORTS.natsMonitor}/varz`, { signal: AbortSignal.timeout(60_000) });
    expect(await reply.json()).toMatchObject({ server_name: "circl-staging-nats-0" });
    run.signal("SIGINT");
    const { code, stdout, stderr } = await run.ended;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("staging: all 7 hold.");
    rmSync(join(scratch, ".kube"), { recursive: true, force: true });
    await expectNothingLeft();
  });

  test.each(["applying", "+ pods become ready"])(
    'says that it was interrupted after "%s", and goes without a trace',
    async (when) => {
      await using run = startProof(scratch, "staging");
      await run.says(when);
      run.signal("SIGINT");
      const { code, stdout, stderr } = await run.ended;
      expect(code, stderr).toBe(130);
      expect(stdout).toBe("");
      expect(stderr.trimEnd().split("\n").at(-1)).toBe("Interrupted. Everything that was started is gone.");
      await expectNothingLeft();
    },
  );

  test("goes without a trace where it is killed", async () => {
    await using run = startProof(scratch, "staging", "--short");
    await run.says("+ pods become ready");
    run.signal("SIGKILL");
    expect(await run.ended).toMatchObject({ code: null });
    await expectNothingLeft();
  });
});
