/** What differs, and what will happen, as text, Markdown and JSON. */
import type { Comparison, ObjectChange } from "../../deploy/comparison.ts";
import { confChanges } from "../../deploy/conf-changes.ts";
import { type FieldDifference, renderPath } from "../../deploy/differences.ts";
import type { Impact } from "../../deploy/impact.ts";
import { paragraph } from "./paragraph.ts";
import { count } from "./problems.ts";
import type { Look } from "./terminal.ts";
import { visible } from "./visible.ts";

/** Everything that is not as declared, what happens for it, and one line that counts. */
export function renderComparison({ environment, with: other, changes }: Comparison, look: Look): string {
  const shown = changes.filter(({ action }) => action !== "none");
  return [
    look.colours.bold(visible(`${environment}: dist against ${other}`)),
    "",
    ...shown.map((change) => renderChange(change, look)),
    ...(shown.length > 0 ? [""] : []),
    summaryOf(changes),
  ].join("\n");
}

const isBlocked = ({ impacts, conflicts }: ObjectChange): boolean =>
  conflicts.length > 0 || impacts.some(({ consequence }) => consequence === "blocked");

function renderChange(change: ObjectChange, look: Look): string {
  const { colours, width } = look;
  const [symbol, paint] = isBlocked(change)
    ? (["!", colours.red] as const)
    : change.action === "create"
      ? (["+", colours.green] as const)
      : change.action === "update"
        ? (["~", colours.yellow] as const)
        : (["-", colours.dim] as const);
  const where = change.namespace ? ` (${change.namespace})` : "";
  const note = change.action === "superfluous" ? "  only there" : "";
  return [
    paint(visible(`${symbol} ${change.title}${where}${note}`)),
    ...change.fields.flatMap(fieldLines).map((line) => visible(`    ${line}`)),
    ...change.conflicts.map(({ field, owner }) =>
      paragraph("    owned: ", `${field} belongs to ${owner}, and is not taken from it. ${settle(owner)}`, width),
    ),
    ...change.impacts.map((impact) => renderImpact(impact, look)),
  ].join("\n");
}

const settle = (owner: string): string =>
  `Let ${owner} give it up, or take the field out of dist; to adopt everything once: kubectl apply --server-side --force-conflicts --field-manager circl.`;

function renderImpact({ consequence, says, hint }: Impact, { colours, width }: Look): string {
  const lead = `    ${consequence}: `;
  const text = paragraph(lead, `${says}.${hint ? ` ${hint}` : ""}`, width);
  return consequence === "blocked" ? colours.red(text) : consequence === "nothing" ? colours.dim(text) : text;
}

const LONGEST = 60;

/** One line a field; of nats.conf one a key, of other long texts their lengths. */
function fieldLines({ path, from, to }: FieldDifference): string[] {
  const name = renderPath(path);
  if (path.at(-1) === "nats.conf" && typeof from === "string" && typeof to === "string") {
    const keys = confChanges(from, to).map(
      (change) => `${change.key} ${change.from ?? "unset"} -> ${change.to ?? "unset"}`,
    );
    return keys.map((line) => `nats.conf: ${line}`);
  }
  return [`${name} ${short(from)} -> ${short(to)}`];
}

function short(value: unknown): string {
  if (value === undefined) return "unset";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text.length <= LONGEST && !text.includes("\n")) return text;
  return text.includes("\n") ? `(${text.trimEnd().split("\n").length} lines)` : `${text.slice(0, LONGEST)}...`;
}

/** `3 to change, 1 to create, 52 unchanged, 1 only there. 1 blocked. Pods are replaced.` */
export function summaryOf(changes: readonly ObjectChange[]): string {
  const of = (action: ObjectChange["action"]) => changes.filter((change) => change.action === action).length;
  const blocked = changes.filter(isBlocked).length;
  const rest = [
    of("none") > 0 ? `${of("none")} unchanged` : "",
    of("superfluous") > 0 ? `${of("superfluous")} only there` : "",
  ].filter((part) => part !== "");
  if (of("create") + of("update") + blocked === 0)
    return rest.length > 0 ? `No changes. ${rest.join(", ")}.` : "No changes.";
  const says = (consequence: Impact["consequence"]) =>
    changes.some(({ impacts }) => impacts.some((impact) => impact.consequence === consequence));
  return [
    `${[`${of("create")} to create`, `${of("update")} to change`, ...rest].join(", ")}.`,
    ...(blocked > 0 ? [`${count(blocked, "object")} blocked.`] : []),
    says("restart")
      ? "Pods are replaced."
      : says("reload")
        ? "Servers reload, no pod is replaced."
        : "No pod is replaced.",
    ...(says("guided") ? ["Volumes grow."] : []),
  ].join(" ");
}

/** GitHub refuses comments above 65,536 characters; several of these go into one. */
const LONGEST_MARKDOWN = 40_000;

/** The first line is a marker by which a pipeline finds its comment of last time and replaces it. */
export function comparisonMarkdown(comparison: Comparison, { colours }: Look): string {
  const lines = renderComparison(comparison, { colours, width: 110 }).split("\n");
  const body = lines.slice(1, -1).join("\n").trim();
  const cut =
    body.length > LONGEST_MARKDOWN
      ? `${body.slice(0, LONGEST_MARKDOWN)}\n... cut: everything is in the log of this run`
      : body;
  return [
    `<!-- circl diff ${comparison.environment} -->`,
    `### Manifests of ${comparison.environment}: ${lines.at(-1) ?? ""}`,
    ...(cut === ""
      ? []
      : ["<details><summary>Changes</summary>", "", "```diff", cut.replace(/^~/gm, "!"), "```", "</details>"]),
  ].join("\n");
}

export const comparisonJson = ({ environment, with: other, changes }: Comparison) => ({
  formatVersion: 1,
  environment,
  against: other,
  summary: {
    create: changes.filter(({ action }) => action === "create").length,
    update: changes.filter(({ action }) => action === "update").length,
    unchanged: changes.filter(({ action }) => action === "none").length,
    superfluous: changes.filter(({ action }) => action === "superfluous").length,
    blocked: changes.filter(isBlocked).length,
  },
  changes: changes
    .filter(({ action }) => action !== "none")
    .map((change) => ({
      ...change,
      fields: change.fields.map(({ path, ...values }) => ({ field: renderPath(path), ...values })),
    })),
});
