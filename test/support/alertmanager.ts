/** A real Alertmanager on loopback with given rules of inhibition, to whose only receiver nothing is sent. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { freePorts } from "../../src/proof/ports.ts";
import { stop } from "./nats-server.ts";
import { tool } from "./tools.ts";

export type Labels = Readonly<Record<string, string>>;

interface Held {
  readonly labels: Labels;
  readonly status: { readonly state: "active" | "suppressed" | "unprocessed" };
}

export class Alertmanager implements AsyncDisposable {
  /** "127.0.0.1:9093". */
  readonly address: string;
  readonly #root = mkdtempSync(join(tmpdir(), "circl-alertmanager-"));
  readonly #process: ChildProcess;
  #log = "";

  private constructor(port: number, inhibitRules: readonly unknown[]) {
    this.address = `127.0.0.1:${port}`;
    const file = join(this.#root, "alertmanager.yaml");
    const receivers = { route: { receiver: "nobody" }, receivers: [{ name: "nobody" }] };
    writeFileSync(file, stringify({ ...receivers, inhibit_rules: inhibitRules }));
    const options = {
      "config.file": file,
      "storage.path": join(this.#root, "data"),
      "web.listen-address": this.address,
      // No peers: it would listen for them on every interface.
      "cluster.listen-address": "",
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    this.#process = spawn(tool("alertmanager"), args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#process.stderr?.on("data", (chunk) => {
      this.#log += chunk;
    });
  }

  /** @throws with its log if it does not get ready, for example because of a rule that it does not take */
  static async start(inhibitRules: readonly unknown[]): Promise<Alertmanager> {
    const [port = 0] = await freePorts(1);
    const alertmanager = new Alertmanager(port, inhibitRules);
    for (let attempt = 0; attempt < 300 && alertmanager.#process.exitCode === null; attempt++) {
      const ready = await fetch(`http://${alertmanager.address}/-/ready`).catch(() => undefined);
      if (ready?.ok) return alertmanager;
      await sleep(100);
    }
    await alertmanager[Symbol.asyncDispose]();
    throw new Error(`Alertmanager does not get ready:\n${alertmanager.#log}`);
  }

  /** Tells it of alerts, as Prometheus does; they end with `resolve`. */
  async fire(alerts: readonly Labels[]): Promise<void> {
    await this.#post(alerts, 600_000);
  }

  async resolve(alerts: readonly Labels[]): Promise<void> {
    await this.#post(alerts, -1);
  }

  /** Alerts that it has and holds back from nobody, or that others inhibit. */
  async held(state: "active" | "suppressed"): Promise<Labels[]> {
    const reply = await fetch(`http://${this.address}/api/v2/alerts`);
    const alerts = (await reply.json()) as Held[];
    // Each is looked at a moment after it came.
    if (alerts.some(({ status }) => status.state === "unprocessed")) {
      await sleep(50);
      return this.held(state);
    }
    return alerts.filter(({ status }) => status.state === state).map(({ labels }) => labels);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#process);
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #post(alerts: readonly Labels[], lasts: number): Promise<void> {
    const now = Date.now();
    const startsAt = new Date(now - 60_000).toISOString();
    const endsAt = new Date(now + lasts).toISOString();
    const reply = await fetch(`http://${this.address}/api/v2/alerts`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(alerts.map((labels) => ({ labels, startsAt, endsAt }))),
    });
    if (!reply.ok) throw new Error(`Alertmanager takes no alerts: ${reply.status} ${await reply.text()}`);
  }
}
