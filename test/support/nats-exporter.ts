/** Real exporters beside servers on loopback, with the very arguments of dist. */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Model } from "../../src/model/resolve.ts";
import { freePorts } from "../../src/proof/ports.ts";
import { objectOf, objectsOf } from "./manifests.ts";
import { type RunningServer, stop } from "./nats-server.ts";
import { tool } from "./tools.ts";

/** One exporter, stopped by disposal. */
export class NatsExporter implements AsyncDisposable {
  /** "127.0.0.1:7777". */
  readonly address: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.address = `127.0.0.1:${port}`;
  }

  /** Starts the exporter of one server. @throws with its log where it does not answer within 30 s */
  static async start(model: Model, server: Pick<RunningServer, "monitorPort">): Promise<NatsExporter> {
    const [port = 0] = await freePorts(1);
    const { containers } = objectOf(objectsOf(model), "StatefulSet", "nats").spec.template.spec;
    const { args } = containers.find(({ name }: { name: string }) => name === "exporter");
    const here = (args as string[]).map((word) =>
      word.replace(/^-port=\d+$/, `-port=${port}`).replace("127.0.0.1:8222", `127.0.0.1:${server.monitorPort}`),
    );
    const child = spawn(tool("nats-exporter"), ["-addr=127.0.0.1", ...here], { stdio: ["ignore", "pipe", "pipe"] });
    let log = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        log += chunk;
      });
    }
    const exporter = new NatsExporter(child, port);
    for (let attempt = 0; attempt < 300 && child.exitCode === null; attempt++) {
      if (await exporter.scrape().catch(() => "")) return exporter;
      await sleep(100);
    }
    await exporter[Symbol.asyncDispose]();
    throw new Error(`no metrics from the exporter:\n${log}`);
  }

  /** What Prometheus would read now. */
  async scrape(): Promise<string> {
    const reply = await fetch(`http://${this.address}/metrics`);
    if (!reply.ok) throw new Error(`${this.address} answers ${reply.status}`);
    return reply.text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#process);
  }
}
