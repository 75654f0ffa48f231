import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, describe, expect, test } from "vitest";
import { startupProbe } from "../../src/nats/startup-probe.ts";
import { realModel } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { tool, without } from "../support/tools.ts";

const folder = mkdtempSync(join(tmpdir(), "circl-probe-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the probe with busybox alone, as the alpine image has it, against a port of this machine. */
function probe(port: number): { readonly status: number | null; readonly said: string } {
  const file = join(folder, `probe-${port}.sh`);
  writeFileSync(file, startupProbe.replace("127.0.0.1 8222", `127.0.0.1 ${port}`));
  const bin = join(folder, "bin");
  spawnSync("sh", [
    "-c",
    `mkdir -p ${bin} && for name in sh nc grep head printf echo; do ln -sf ${tool("busybox")} ${bin}/$name; done`,
  ]);
  const { status, stdout } = spawnSync(join(bin, "sh"), [file], {
    encoding: "utf8",
    env: { PATH: bin },
    timeout: 15_000,
  });
  return { status, said: stdout };
}

/** What a server says of faults that no test can order from a real one. In a thread: the probe blocks this one. */
async function answering(status: string, body: unknown): Promise<{ port: number; close: () => Promise<unknown> }> {
  const reply = `HTTP/1.0 ${status}\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(body, null, 2)}`;
  const code = `const { parentPort, workerData } = require("node:worker_threads");
    const server = require("node:net").createServer((socket) => { socket.on("error", () => {}); socket.on("data", () => socket.end(workerData)); });
    server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));`;
  const worker = new Worker(code, { eval: true, workerData: reply });
  const [port] = await once(worker, "message");
  return { port, close: () => worker.terminate() };
}

describe.skipIf(without("nats-server", "test-ca", "busybox"))("the startup probe", () => {
  test("passes on a server that has everything", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    expect(probe(cluster.servers[0]?.monitorPort ?? 0)).toEqual({ status: 0, said: "" });
  });

  test("holds back a server that has no meta leader yet", async () => {
    await using cluster = await Cluster.start(realModel("staging"), { count: 1 });
    const { status, said } = probe(cluster.servers[0]?.monitorPort ?? 0);
    expect(status).toBe(1);
    expect(said).toContain("meta");
  });

  test("fails where nothing listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    await once(server.close(), "close");
    expect(probe(port).status).toBe(1);
  });

  const consumer = {
    type: "CONSUMER",
    account: "CIRCL",
    stream: "circl_iot",
    consumer: "bff-iot",
    error: "not current",
  };
  const stream = { type: "STREAM", account: "CIRCL", stream: "circl_iot", error: "not current" };

  test.each([
    ["lets a server with a broken consumer pass", [consumer, consumer], 0],
    ["holds back a server whose stream has not caught up", [stream], 1],
    ["holds back a server with both", [consumer, stream], 1],
  ])("%s", async (_, errors, expected) => {
    const server = await answering("503 Service Unavailable", { status: "error", status_code: 503, errors });
    expect(probe(server.port).status).toBe(expected);
    await server.close();
  });
});
