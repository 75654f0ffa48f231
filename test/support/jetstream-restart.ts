/** Ends a server and starts it again on the same configuration and the same store. */
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, stop } from "./nats-server.ts";

/** Restarts the only server of `cluster`; it gets another port, and connections are not kept. */
export async function restart(cluster: Cluster): Promise<void> {
  const [before] = cluster.servers;
  if (!before) throw new Error("no server is running");
  await stop(before.process);
  const ports = join(before.root, "ports");
  rmSync(ports, { recursive: true, force: true });
  mkdirSync(ports);
  const [binary = "", ...args] = before.process.spawnargs;
  const child = spawn(binary, args, {
    env: { ...process.env, SERVER_NAME: "restarted" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (chunk) => {
    text += chunk;
  });
  // Before it is ready, so that it is ended with the cluster whatever happens here.
  cluster.servers[0] = { ...before, process: child, log: () => text };
  const clientPort = Number(new URL(await clientUrl(ports, () => text)).port);
  cluster.servers[0] = { ...before, process: child, log: () => text, clientPort };
}

async function clientUrl(folder: string, log: () => string): Promise<string> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const [file] = readdirSync(folder);
    const content = file ? readFileSync(join(folder, file), "utf8") : "";
    if (content.endsWith("}") && log().includes("Server is ready")) return JSON.parse(content).nats[0];
    await sleep(50);
  }
  throw new Error(`the server does not come back:\n${log()}`);
}
