/** Rules as text, JSON and Markdown. */
import type { RuleRow } from "../../rules/rule.ts";
import type { RuleText } from "../commands/explain.ts";
import { paragraph } from "./paragraph.ts";
import type { Look } from "./terminal.ts";

/** One line a rule. */
export const renderRuleList = (rules: readonly RuleText[], { colours }: Look): string =>
  rules.map(({ code, severity, title }) => `${colours.bold(code)} ${severity.padEnd(7)} ${title}`).join("\n");

export const renderRules = (rules: readonly RuleText[], { colours, width }: Look): string =>
  rules
    .map(({ code, severity, title, reason, hint, rows = [] }) =>
      [
        `${colours.bold(code)} ${severity}: ${title}`,
        paragraph("  why: ", reason, width),
        ...rows.map((row) => paragraph("  - ", rowText(row), width)),
        `${paragraph("  way out: ", hint, width)}\n`,
      ].join("\n"),
    )
    .join("\n");

export const rulesJson = (rules: readonly RuleText[]) => ({
  formatVersion: 1,
  rules: rules.map(({ code, severity, title, reason, hint, rows }) => ({
    code,
    severity,
    title,
    reason,
    hint,
    ...(rows ? { rows: rows.map(({ what, why, errCode, since }) => ({ what, why, errCode, since })) } : {}),
  })),
});

const groups = { E: "Environments", S: "Streams", M: "Manifests", P: "Changes" } as const;

/** The page docs/rules.md. */
export function rulesPage(rules: readonly RuleText[]): string {
  const sections = Object.entries(groups).flatMap(([letter, title]) => {
    const own = rules.filter(({ code }) => code.startsWith(letter));
    return own.length > 0 ? [`## ${title}`, rulesMarkdown(own)] : [];
  });
  return `${[
    "<!-- Generated from src/rules by `npm run docs`; edit the rules. -->",
    "# Rules",
    "What `circl check` (E, S, M) and `circl plan` (P) look for. An error stops, a warning is said. Codes never change their\nmeaning.",
    ...sections,
  ].join("\n\n")}\n`;
}

export const rulesMarkdown = (rules: readonly RuleText[]): string =>
  rules
    .map(({ code, severity, title, reason, hint, rows = [] }) =>
      [
        `### ${code}: ${title}`,
        `*${severity}* ${escaped(reason)}`,
        ...(rows.length > 0 ? [rows.map((row) => `- ${escaped(rowText(row))}`).join("\n")] : []),
        `**Way out:** ${escaped(hint)}`,
      ].join("\n\n"),
    )
    .join("\n\n");

/** `denyPurge with allowRollupHdrs: a roll-up purges what it replaces (10052)`. */
const rowText = ({ what, why, errCode, since }: RuleRow): string => {
  const said = [...(errCode ? [errCode] : []), ...(since ? [`since ${since}`] : [])];
  return `${what}: ${why}${said.length > 0 ? ` (${said.join(", ")})` : ""}`;
};

/** Subjects are full of stars and placeholders of angles; within backticks they mean themselves. */
const escaped = (text: string): string =>
  text.replace(/`[^`]*`|[*<]/g, (found) => (found.startsWith("`") ? found : `\\${found}`));
