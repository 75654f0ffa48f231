/** What silences what: the block of docs/alerts.md that people copy into their Alertmanager. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

export const overview = readFileSync(fileURLToPath(new URL("../../docs/alerts.md", import.meta.url)), "utf8");

export interface InhibitRule {
  readonly source_matchers: readonly string[];
  readonly target_matchers: readonly string[];
  readonly equal?: readonly string[];
}

const block = /```yaml\n(.*?)```/s.exec(overview)?.[1] ?? "";
export const inhibitRules = (parse(block) as { inhibit_rules: InhibitRule[] }).inhibit_rules;

/** Which of `names` a matcher such as `alertname =~ "NatsStream.+"` takes. */
export function matched(matcher: string, names: readonly string[]): string[] {
  const [, op, value = ""] = /^alertname (=~|=) "?([^"]+)"?$/.exec(matcher) ?? [];
  if (!op) throw new Error(`${matcher} is no matcher of alertname`);
  return names.filter((name) => (op === "=" ? name === value : new RegExp(`^(?:${value})$`).test(name)));
}
