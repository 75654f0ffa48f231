/** A control plane ends with whoever started it, and leaves nothing behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startControlPlane } from "../../src/proof/control-plane.ts";
import { CONTROL_PLANE } from "../../src/proof/control-plane-programs.ts";
import { bootControlPlane, eventually, PROGRAMS, programPaths } from "../support/control-plane.ts";
import { without } from "../support/tools.ts";
import { ifThere, processesIn } from "../support/traces.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe.skipIf(without(...PROGRAMS))("a control plane", () => {
  let scratch = "";
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), "circl-proof-"));
    vi.stubEnv("TMPDIR", scratch);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(scratch, { recursive: true, force: true });
  });

  test("listens on loopback alone, keeps its keys from others, and goes without a trace", async () => {
    {
      await using plane = await bootControlPlane();
      expect(plane.programs.map(({ name }) => name)).toEqual(CONTROL_PLANE);
      expect(new URL(plane.server).hostname).toBe("127.0.0.1");
      // Two of etcd, one of each other; 0100007F is 127.0.0.1.
      const hosts = plane.programs.flatMap(({ pid }) => listeners(pid)).map((address) => address.split(":")[0]);
      expect(hosts).toEqual(Array(5).fill("0100007F"));
      expect(statSync(plane.kubeconfig).mode & 0o077).toBe(0);
      expect(statSync(join(plane.kubeconfig, "..")).mode & 0o077).toBe(0);
      // These and the one that removes the folder.
      expect(processesIn(scratch)).toHaveLength(CONTROL_PLANE.length + 1);
    }
    expect(processesIn(scratch)).toEqual([]);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("says which program could not start, its last words and the next step, and goes without a trace", async () => {
    const paths = { ...programPaths(), "kube-apiserver": programPaths()["kube-scheduler"] };
    await expect(startControlPlane({ paths })).rejects.toThrow(
      /^kube-apiserver ended with 1\. Its last lines:\n.*unknown flag: --etcd-servers\nRun it again/s,
    );
    expect(processesIn(scratch)).toEqual([]);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("says which program is not there", async () => {
    const paths = { ...programPaths(), etcd: join(scratch, "no-etcd") };
    await expect(startControlPlane({ paths })).rejects.toThrow(/^etcd ended with 127\..*no-etcd: No such file/s);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("names the program that ended when kubectl fails for it", async () => {
    await using plane = await bootControlPlane();
    await plane.programs.find(({ name }) => name === "kube-apiserver")?.stop();
    await expect(plane.kubectl(["get", "nodes"])).rejects.toThrow(
      /kubectl get nodes.*kube-apiserver ended with SIGKILL/s,
    );
  });

  test("can be interrupted while it starts", async () => {
    const controller = new AbortController();
    const start = startControlPlane({ paths: programPaths(), signal: controller.signal });
    const interrupted = expect(start).rejects.toThrow("Ctrl-C");
    await eventually(
      async () => processesIn(scratch).length,
      (count) => count >= 3,
    );
    controller.abort(new Error("Ctrl-C"));
    await interrupted;
    expect(processesIn(scratch)).toEqual([]);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("goes without a trace on Ctrl-C", async () => {
    const starter = await startElsewhere(scratch);
    starter.kill("SIGINT");
    await once(starter, "exit");
    expect(processesIn(scratch)).toEqual([]);
    expect(readdirSync(scratch)).toEqual(["starter.mjs"]);
  });

  test("goes without a trace even where its starter is killed", async () => {
    const starter = await startElsewhere(scratch);
    expect(readdirSync(scratch)).toHaveLength(2);
    starter.kill("SIGKILL");
    await eventually(
      async () => processesIn(scratch),
      (found) => found.length === 0,
    );
    expect(readdirSync(scratch)).toEqual(["starter.mjs"]);
  });
});

/** Starts a control plane from another process, as a command will: it disposes on SIGINT. */
async function startElsewhere(folder: string): Promise<ChildProcess> {
  const program = `
    import { startControlPlane } from "./src/proof/control-plane.ts";
    const interrupt = new AbortController();
    process.once("SIGINT", () => interrupt.abort());
    const plane = await startControlPlane({ paths: ${JSON.stringify(programPaths())}, signal: interrupt.signal });
    const ended = new Promise((done) => interrupt.signal.addEventListener("abort", done));
    console.log("ready");
    await ended;
    await plane[Symbol.asyncDispose]();`;
  const outfile = join(folder, "starter.mjs");
  const stdin = { contents: program, resolveDir: root, loader: "ts" } as const;
  await build({ stdin, bundle: true, platform: "node", format: "esm", outfile, logLevel: "error" });
  const starter = spawn(process.execPath, [outfile], { stdio: ["ignore", "pipe", "inherit"] });
  await once(starter.stdout, "data");
  return starter;
}

/** Addresses on which a process listens, in the words of the kernel: hexadecimal; state 0A is LISTEN. */
function listeners(pid: number): string[] {
  const sockets = readdirSync(`/proc/${pid}/fd`)
    .map((fd) => ifThere(() => readlinkSync(`/proc/${pid}/fd/${fd}`)))
    .flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
  return ["tcp", "tcp6"]
    .flatMap((protocol) => readFileSync(`/proc/${pid}/net/${protocol}`, "utf8").trim().split("\n").slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode = ""]) => state === "0A" && sockets.includes(inode))
    .map(([, address = ""]) => address);
}
