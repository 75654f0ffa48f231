/** What the kubelet and the reloader do to servers: new files, then a signal. */
import { copyFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Cluster, RunningServer } from "./nats-server.ts";

const count = (server: RunningServer, text: string): number => server.log().split(text).length - 1;

/** Signals every server and waits for its answer. @param said what it logs @default that it has reloaded */
export async function reload({ servers }: Cluster, said = "Reloaded server configuration"): Promise<void> {
  const before = servers.map((server) => count(server, said));
  for (const { process } of servers) process.kill("SIGHUP");
  for (const [i, server] of servers.entries()) {
    await expect.poll(() => count(server, said), { timeout: 30_000 }).toBeGreaterThan(before[i] ?? 0);
  }
}

/** Whole or not at all, as the kubelet swaps a mounted Secret. */
export function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function setAuth({ servers }: Cluster, text: string): void {
  for (const { root } of servers) replaceFile(join(root, "etc/nats-auth/auth.conf"), text);
}

/** Lets the servers' certificates be those of another folder below `tls`. */
export function setCertificates({ root }: Cluster, name: string, from: string): void {
  for (const file of readdirSync(join(root, "tls", from))) {
    copyFileSync(join(root, "tls", from, file), join(root, "tls", name, `${file}.new`));
    renameSync(join(root, "tls", name, `${file}.new`), join(root, "tls", name, file));
  }
}
