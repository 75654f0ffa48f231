/** A plan as a comment on a pull request. */
import type { Plan } from "../../jetstream/plan.ts";
import { markdownSection } from "./markdown.ts";
import { renderPlan } from "./plan.ts";
import type { Look } from "./terminal.ts";

/** GitHub refuses comments above 65,536 characters; the rest of the comment needs a little of that. */
const LONGEST = 60_000;

/** The first line is a marker by which a pipeline finds its comment of last time and replaces it. */
export function planMarkdown(plan: Plan, { colours }: Look): string {
  const lines = renderPlan(plan, { colours, width: 110 }).split("\n");
  const body = lines.slice(0, -1).join("\n").trim();
  return markdownSection({
    marker: `plan ${plan.environment}`,
    title: `Streams of ${plan.environment}: ${lines.at(-1) ?? ""}`,
    body: body.length > LONGEST ? `${body.slice(0, LONGEST)}\n... cut: the whole plan is in the log of this run` : body,
    label: "Plan",
  });
}
