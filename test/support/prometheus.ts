/** A real Prometheus on loopback that scrapes by the monitors of dist and evaluates its rules, in time-lapse. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments, stringify } from "yaml";
import type { Relabeling } from "../../src/kubernetes/service-monitor.ts";
import { freePorts } from "../../src/proof/ports.ts";
import type { Manifest } from "../../src/rules/manifests/manifest.ts";
import { stop } from "./nats-server.ts";
import { inTimeLapse } from "./time-lapse.ts";
import { tool } from "./tools.ts";

/** Addresses of the pods of a job, "127.0.0.1:7777" by name. */
export type Targets = Readonly<Record<string, string>>;

export class Prometheus implements AsyncDisposable {
  readonly #root = mkdtempSync(join(tmpdir(), "circl-prometheus-"));
  readonly #namespace: string;
  #url = "";
  #process: ChildProcess | undefined;
  #log = "";

  private constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /**
   * Starts it with `50-monitoring.k8s.yaml` of an environment's folder, without the rules about servers that no job has.
   * @param others addresses that bring their labels with them, as those of kubelet and kube-state-metrics do
   * @param alertmanager address of who is told of alerts
   * @throws with its log if it does not get ready
   */
  static async start(
    file: string,
    jobs: Readonly<Record<string, Targets>>,
    others: readonly string[] = [],
    alertmanager?: string,
  ): Promise<Prometheus> {
    const objects = parseAllDocuments(readFileSync(file, "utf8")).map((document) => document.toJS() as Manifest);
    const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
    const prometheus = new Prometheus(objects[0]?.metadata.namespace ?? "");
    for (const [job, targets] of Object.entries(jobs)) prometheus.aim(job, targets);
    const monitors = ofKind("ServiceMonitor").map(({ metadata }) => metadata.name);
    const isRun = (name: string) => !monitors.includes(name) || name in jobs;
    const groups = ofKind("PrometheusRule").flatMap(({ metadata, spec }) => (isRun(metadata.name) ? spec.groups : []));
    prometheus.#write("rules.yaml", { groups: inTimeLapse(groups) });
    prometheus.#write("prometheus.yaml", {
      global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
      rule_files: ["rules.yaml"],
      ...(alertmanager ? { alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] } } : {}),
      scrape_configs: [
        ...ofKind("ServiceMonitor")
          .filter(({ metadata }) => isRun(metadata.name))
          .map(({ metadata, spec }) => ({
            job_name: metadata.name,
            metrics_path: spec.endpoints[0].path,
            sample_limit: spec.sampleLimit,
            body_size_limit: spec.bodySizeLimit,
            file_sd_configs: [{ files: [`targets-${metadata.name}.json`], refresh_interval: "1s" }],
            metric_relabel_configs: (spec.endpoints[0].metricRelabelings ?? []).map(asConfig),
          })),
        { job_name: "others", honor_labels: true, static_configs: [{ targets: others }] },
      ],
    });
    try {
      await prometheus.#start();
      return prometheus;
    } catch (error) {
      await prometheus[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Says where the pods of a job are now, with the labels that a ServiceMonitor would give them. */
  aim(job: string, targets: Targets): void {
    const found = Object.entries(targets).map(([pod, address]) => ({
      targets: [address],
      labels: { namespace: this.#namespace, pod, instance: pod },
    }));
    // In one step: half a file would be no targets.
    this.#write("draft", found);
    renameSync(join(this.#root, "draft"), join(this.#root, `targets-${job}.json`));
  }

  /** Names of the alerts in a state, without repeats. */
  async alerts(state: "firing" | "pending"): Promise<string[]> {
    const { alerts } = await this.#ask<{ alerts: { state: string; labels: { alertname: string } }[] }>("alerts");
    return [...new Set(alerts.filter((alert) => alert.state === state).map(({ labels }) => labels.alertname))].sort();
  }

  /** Series that an expression gives now. */
  async query(expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const { result } = await this.#ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(expr)}`,
    );
    return result;
  }

  /** Values of a label among the series that a selector finds. */
  labelValues(label: string, selector: string): Promise<string[]> {
    return this.#ask(`label/${label}/values?match[]=${encodeURIComponent(selector)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process) await stop(this.#process);
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const [port = 0] = await freePorts(1);
    this.#url = `http://127.0.0.1:${port}`;
    const options = {
      "config.file": join(this.#root, "prometheus.yaml"),
      "storage.tsdb.path": join(this.#root, "data"),
      "web.listen-address": `127.0.0.1:${port}`,
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    this.#process = spawn(tool("prometheus"), args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#process.stderr?.on("data", (chunk) => {
      this.#log += chunk;
    });
    for (let attempt = 0; attempt < 300 && this.#process.exitCode === null; attempt++) {
      if (
        await fetch(`${this.#url}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        return;
      await sleep(100);
    }
    throw new Error(`Prometheus does not get ready:\n${this.#log}`);
  }

  async #ask<T>(path: string): Promise<T> {
    const reply = await fetch(`${this.#url}/api/v1/${path}`);
    const { status, data, error } = (await reply.json()) as { status: string; data: T; error?: string };
    if (status !== "success") throw new Error(`${path}: ${error}`);
    return data;
  }

  #write(name: string, content: unknown): void {
    writeFileSync(join(this.#root, name), name.endsWith(".yaml") ? stringify(content) : JSON.stringify(content));
  }
}

/** A relabeling of the monitor as the operator hands it to Prometheus. */
const asConfig = ({ sourceLabels, targetLabel, ...same }: Relabeling) => ({
  ...same,
  ...(sourceLabels ? { source_labels: sourceLabels } : {}),
  ...(targetLabel ? { target_label: targetLabel } : {}),
});
