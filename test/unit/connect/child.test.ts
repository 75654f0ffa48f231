/** What Ctrl-C does to kubectl and gcloud beside a process that wants to stop at a safe place, and beside one that does not care. */
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
const GCLOUD = `
  import { gcpSecretManager } from "./src/connect/secret-store.ts";
  gcpSecretManager("p").read("secret").catch(() => {});`;
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

/** Runs a program as a terminal does, in a group of its own, with a kubectl and a gcloud that say they forward, and then wait for what they have started. */
async function running(folder: string, program: string) {
  const pidFile = join(folder, "pid");
  const script = `#!/bin/sh\nsleep 600 &\necho $! > ${pidFile}\necho "Forwarding from 127.0.0.1:4222 -> 8222"\nwait\n`;
  for (const name of ["kubectl", "gcloud"]) {
    writeFileSync(join(folder, name), script);
    chmodSync(join(folder, name), 0o755);
  }
  const outfile = join(folder, "program.mjs");
  await build({
    stdin: { contents: program, resolveDir: root, loader: "ts" },
    ...{ bundle: true, platform: "node", format: "esm", target: "node20", outfile, logLevel: "silent" },
    // For packages that were written before modules.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const child = spawn(process.execPath, [outfile], { env, detached: true, stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "exit");
  await eventually("it is ready", () => said.includes("ready") || child.exitCode !== null);
  await eventually("it has started something", () => existsSync(pidFile) && readFileSync(pidFile, "utf8") !== "");
  return { child, ended, said: () => said, started: Number(readFileSync(pidFile, "utf8")) };
}

describe.each([
  ["a forwarded port", FORWARD],
  ["the proxy", PROXY],
  ["gcloud", GCLOUD],
])("Ctrl-C beside %s", (_, connect) => {
  test("leaves it alone where somebody stops at a safe place, and it ends with the process", async () => {
    using folder = temporaryFolder();
    const { child, ended, said, started } = await running(folder.path, `${connect}\n${LISTENING}\n${WAITING}`);
    process.kill(-(child.pid ?? 0), "SIGINT");
    await eventually("it hears of it", () => said().includes("interrupted"));
    expect(isAlive(started)).toBe(true);
    expect(groupOf(started)).not.toBe(groupOf(child.pid ?? 0));
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
    await eventually("what was started ends", () => !isAlive(started));
  });

  test("ends both where nobody listens", async () => {
    using folder = temporaryFolder();
    const { child, ended, started } = await running(folder.path, `${connect}\n${WAITING}`);
    process.kill(-(child.pid ?? 0), "SIGINT");
    expect(await ended).toEqual([null, "SIGINT"]);
    await eventually("what was started ends", () => !isAlive(started));
  });
});
