/** `circl explain`: what a rule code means. */
import { allRules } from "../../rules/index.ts";
import type { Rule } from "../../rules/rule.ts";
import { nearest } from "../../rules/shape.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { UsageError } from "../failures.ts";
import { renderRuleList, renderRules, rulesJson, rulesMarkdown, rulesPage } from "../output/rules.ts";
import { lookOf, print, printJson } from "../output/terminal.ts";

export interface ExplainOptions {
  readonly all?: boolean;
  readonly json?: boolean;
  readonly format?: "text" | "markdown";
}

export async function run(codes: readonly string[], { all, json, format }: ExplainOptions): Promise<ExitCode> {
  if (all && codes.length > 0) throw new UsageError("give codes or --all, not both");
  const rules = explain(codes);
  const look = lookOf(process.stdout);
  if (json) printJson(rulesJson(rules));
  else if (format === "markdown") print(all ? rulesPage(rules) : rulesMarkdown(rules));
  else print(all || codes.length > 0 ? renderRules(rules, look) : renderRuleList(rules, look));
  return exitCodes.done;
}

export type RuleText = Omit<Rule<never>, "check">;

/** The rules with these codes, in any case; every rule where there are none. */
export function explain(codes: readonly string[]): RuleText[] {
  if (codes.length === 0) return [...allRules];
  const known = allRules.map(({ code }) => code);
  const asked = codes.map((code) => code.toUpperCase());
  for (const code of asked) {
    if (known.some((candidate) => candidate === code)) continue;
    const near = nearest(code, known);
    throw new UsageError(
      `there is no rule "${code}"${near ? ` (Did you mean ${near}?)` : ""}. \`circl explain\` lists all.`,
    );
  }
  return allRules.filter(({ code }) => asked.includes(code));
}
