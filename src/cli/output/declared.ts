/** What a change of streams/ comes to, as text and as a part of a comment on a pull request. */
import type { DeclaredChange } from "../../jetstream/declared.ts";
import { markdownSection } from "./markdown.ts";
import { renderField } from "./plan.ts";

const SIGNS = { declared: "+", changed: "~", forgotten: "-" } as const;
const NOTES = {
  declared: "",
  changed: "",
  forgotten: "  no longer declared: stays on servers until it is deleted by name",
} as const;

export function renderDeclared(changes: readonly DeclaredChange[], environment: string): string {
  const lines = changes.flatMap(({ kind, name, change, fields }) => {
    const shown = fields.map(renderField);
    const inline = shown.length <= 2 ? shown.join(", ") : "";
    const title = `${SIGNS[change]} ${kind} ${name}${inline ? `  ${inline}` : ""}${NOTES[change]}`;
    return inline === "" ? [title, ...shown.map((field) => `    ${field}`)] : [title];
  });
  return [`${environment}:`, ...lines, "", summaryOf(changes)].join("\n");
}

export const declaredMarkdown = (changes: readonly DeclaredChange[], environment: string): string =>
  markdownSection({
    marker: `show ${environment}`,
    title: `Definitions of streams of ${environment}: ${summaryOf(changes)}`,
    body: renderDeclared(changes, environment).split("\n").slice(1, -2).join("\n"),
    label: "Before any server is asked",
    open: true,
  });

function summaryOf(changes: readonly DeclaredChange[]): string {
  const count = (wanted: DeclaredChange["change"]) => changes.filter(({ change }) => change === wanted).length;
  if (changes.length === 0) return "no changes";
  return `${count("declared")} new, ${count("changed")} changed, ${count("forgotten")} no longer declared.`;
}
