/** Runs the rules of an environment through promtool, as Prometheus itself would evaluate them. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import type { Alert, Recording, RuleGroup } from "../../src/kubernetes/prometheus-rule.ts";
import { secretAlerts } from "../../src/kubernetes/secret-alerts.ts";
import type { Model } from "../../src/model/resolve.ts";
import { natsAlerts } from "../../src/nats/alerts.ts";
import { tile38Alerts } from "../../src/tile38/alerts.ts";
import { tool } from "./tools.ts";

export const groupsOf = (model: Model): RuleGroup[] =>
  [natsAlerts, tile38Alerts, secretAlerts].flatMap((rulesFor) => rulesFor(model).groups);
const rulesOf = (model: Model): (Recording | Alert)[] => groupsOf(model).flatMap(({ rules }) => rules);
export const recordingsIn = (model: Model): Recording[] => rulesOf(model).filter((rule) => "record" in rule);
export const alertsIn = (model: Model): Alert[] => rulesOf(model).filter((rule) => "alert" in rule);

/** One test of `promtool test rules`, without its envelope. */
export interface PromtoolTest {
  readonly interval: string;
  readonly input_series: readonly { readonly series: string; readonly values: string }[];
  readonly alert_rule_test?: readonly unknown[];
  readonly promql_expr_test?: readonly unknown[];
}

/** @throws with what promtool said */
export const checkRules = (groups: readonly RuleGroup[]): Promise<string> =>
  withFiles({ "rules.yaml": { groups } }, (folder) =>
    promtool(["check", "rules", "--lint=all", "--lint-fatal", join(folder, "rules.yaml")]),
  );

/** Rules are evaluated as often as there are samples. @throws with what promtool said */
export function testRules(groups: readonly RuleGroup[], tests: readonly PromtoolTest[]): Promise<string> {
  const file = { rule_files: ["rules.yaml"], evaluation_interval: tests[0]?.interval, tests };
  return withFiles({ "rules.yaml": { groups }, "tests.yaml": file }, (folder) =>
    promtool(["test", "rules", join(folder, "tests.yaml")]),
  );
}

async function promtool(args: readonly string[]): Promise<string> {
  const ran = promisify(execFile)(tool("promtool"), args, { maxBuffer: 64 * 1024 * 1024 });
  const { stdout, stderr } = await ran.catch((cause) => {
    throw new Error(`promtool ${args[0]} ${args[1]}:\n${cause.stdout}${cause.stderr}`, { cause });
  });
  return stdout + stderr;
}

/** Writes each of `contents` to a YAML file of its name; `use` gets the folder. */
async function withFiles<T>(
  contents: Readonly<Record<string, unknown>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "circl-promtool-"));
  try {
    for (const [file, content] of Object.entries(contents)) await writeFile(join(folder, file), stringify(content));
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
