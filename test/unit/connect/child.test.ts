/** What Ctrl-C does to kubectl beside a process that wants to stop at a safe place, and beside one that does not care. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { waitEvery } from "../../../src/deploy/waiting.ts";
import { root, temporaryFolder } from "../../cli/circl.ts";

const FORWARD = `
  import { forwardPodPort } from "./src/connect/kubectl.ts";
  await forwardPodPort({ context: "c", namespace: "ns", pod: "nats-0", port: 8222 });`;
const PROXY = `
  import { startProxy } from "./src/connect/kubectl-proxy.ts";
  await startProxy("c");`;
const LISTENING = `process.on("SIGINT", () => console.log("interrupted"));`;
/** Goes on until its input ends, or Ctrl-C ends it. */
const WAITING = `process.stdin.on("end", () => process.exit(0)).resume(); console.log("ready");`;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const groupOf = (pid: number): string => execFileSync("ps", ["-o", "pgid=", "-p", String(pid)], { encoding: "utf8" });
const eventually = (what: string, ask: () => boolean) =>
  waitEvery(10).until(
    async () => (ask() ? true : undefined),
    30_000,
    async () => `never: ${what}`,
  );

/** Runs a program as a terminal does, in a group of its own, with a kubectl that says it forwards and then sleeps. */
async function running(folder: string, program: string) {
  const pidFile = join(folder, "pid");
  const kubectl = `#!/bin/sh\necho $$ > ${pidFile}\necho "Forwarding from 127.0.0.1:4222 -> 8222"\nexec sleep 600\n`;
  writeFileSync(join(folder, "kubectl"), kubectl);
  chmodSync(join(folder, "kubectl"), 0o755);
  const outfile = join(folder, "program.mjs");
  await build({
    stdin: { contents: program, resolveDir: root, loader: "ts" },
    ...{ bundle: true, platform: "node", format: "esm", target: "node20", outfile, logLevel: "silent" },
  });
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const child = spawn(process.execPath, [outfile], { env, detached: true, stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "exit");
  await eventually("it is ready", () => said.includes("ready") || child.exitCode !== null);
  expect(existsSync(pidFile)).toBe(true);
  return { child, ended, said: () => said, kubectl: Number(readFileSync(pidFile, "utf8")) };
}

describe.each([
  ["a forwarded port", FORWARD],
  ["the proxy", PROXY],
])("Ctrl-C beside %s", (_, connect) => {
  test("leaves it alone where somebody stops at a safe place, and it ends with the process", async () => {
    using folder = temporaryFolder();
    const { child, ended, said, kubectl } = await running(folder.path, `${connect}\n${LISTENING}\n${WAITING}`);
    process.kill(-(child.pid ?? 0), "SIGINT");
    await eventually("it hears of it", () => said().includes("interrupted"));
    expect(isAlive(kubectl)).toBe(true);
    expect(groupOf(kubectl)).not.toBe(groupOf(child.pid ?? 0));
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
    await eventually("kubectl ends", () => !isAlive(kubectl));
  });

  test("ends both where nobody listens", async () => {
    using folder = temporaryFolder();
    const { child, ended, kubectl } = await running(folder.path, `${connect}\n${WAITING}`);
    process.kill(-(child.pid ?? 0), "SIGINT");
    expect(await ended).toEqual([null, "SIGINT"]);
    await eventually("kubectl ends", () => !isAlive(kubectl));
  });
});
