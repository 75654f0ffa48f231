/** A plan as a comment on a pull request. */
import type { Plan } from "../../jetstream/plan.ts";
import { renderPlan } from "./plan.ts";
import type { Look } from "./terminal.ts";

/** GitHub refuses comments above 65,536 characters; the rest of the comment needs a little of that. */
const LONGEST = 60_000;

/** The first line is a marker by which a pipeline finds its comment of last time and replaces it. */
export function planMarkdown(plan: Plan, { colours }: Look): string {
  const text = renderPlan(plan, { colours, width: 110 });
  const lines = text.split("\n");
  const summary = lines.at(-1) ?? "";
  const body = lines.slice(0, -1).join("\n").trim();
  const cut =
    body.length > LONGEST ? `${body.slice(0, LONGEST)}\n... cut: the whole plan is in the log of this run` : body;
  return [
    `<!-- circl plan ${plan.environment} -->`,
    `### Streams of ${plan.environment}: ${summary}`,
    "<details><summary>Plan</summary>",
    "",
    "```diff",
    // Diff colours know + and - alone; ~ and ! would stay grey.
    cut.replace(/^~/gm, "!"),
    "```",
    "</details>",
  ].join("\n");
}
