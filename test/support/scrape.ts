/** What Prometheus reads of a target, and what the monitor lets it keep. */
import type { Relabeling } from "../../src/kubernetes/service-monitor.ts";

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Samples of the text format, without values. */
export const samplesOf = (text: string): Sample[] =>
  text
    .split("\n")
    .filter((line) => /^[a-zA-Z_:]/.test(line))
    .map((line) => {
      const [, name = "", labels = ""] = /^([\w:]+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
      const pairs = labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g);
      return { name, labels: Object.fromEntries([...pairs].map(([, key = "", value = ""]) => [key, value])) };
    });

/** `metric_relabel_configs` as Prometheus applies them: anchored, `$1` as replacement, an empty label is no label. */
export const relabelled = (samples: readonly Sample[], relabelings: readonly Relabeling[]): Sample[] =>
  samples.flatMap((sample) => {
    const labels: Record<string, string> = { __name__: sample.name, ...sample.labels };
    for (const { sourceLabels = [], regex = "(.*)", targetLabel = "", action } of relabelings) {
      const anchored = new RegExp(`^(?:${regex})$`);
      const match = anchored.exec(sourceLabels.map((label) => labels[label] ?? "").join(";"));
      if (action === "keep" && !match) return [];
      if (action === "drop" && match) return [];
      if (action === "replace" && match) labels[targetLabel] = match[1] ?? "";
      if (action === "labeldrop")
        for (const label of Object.keys(labels)) if (anchored.test(label)) delete labels[label];
    }
    const { __name__: name = "", ...kept } = labels;
    return [{ name, labels: Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== "")) }];
  });
