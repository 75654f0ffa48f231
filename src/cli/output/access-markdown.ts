/** What a change grants and takes away, as a part of a comment on a pull request. */
import type { AccessChange } from "../../nats/access.ts";
import { renderAccessDiff } from "./access.ts";

/** The first line is a marker, as `circl plan` has one. */
export function accessMarkdown(changes: readonly AccessChange[], before: string, after: string): string {
  const lines = renderAccessDiff(changes, before, after).split("\n");
  const marker = `<!-- circl access ${after} -->`;
  if (changes.length === 0) return `${marker}\n### Access to ${after}: no changes`;
  const body = lines.slice(1, -1).join("\n").trim();
  return [
    marker,
    `### Access to ${after}: ${lines.at(-1)}`,
    "<details open><summary>Who may what</summary>",
    "",
    "```diff",
    // Diff colours know + and - alone; ~ would stay grey.
    body.replace(/^~/gm, "!"),
    "```",
    "</details>",
  ].join("\n");
}
