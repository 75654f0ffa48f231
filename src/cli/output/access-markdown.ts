/** What a change grants and takes away, as a part of a comment on a pull request. */
import type { AccessChange } from "../../nats/access.ts";
import { renderAccessDiff } from "./access.ts";
import { markdownSection } from "./markdown.ts";

export function accessMarkdown(changes: readonly AccessChange[], before: string, after: string): string {
  const lines = renderAccessDiff(changes, before, after).split("\n");
  return markdownSection({
    marker: `access ${after}`,
    title: `Access to ${after}: ${changes.length > 0 ? lines.at(-1) : "no changes"}`,
    body: lines.slice(1, -1).join("\n").trim(),
    label: "Who may what",
    open: true,
  });
}
