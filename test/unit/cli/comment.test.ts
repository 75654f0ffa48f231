import { describe, expect, test } from "vitest";
import { COMMENT_MARKER, joinReports } from "../../../src/cli/output/comment.ts";

/** What GitHub takes. */
const LIMIT = 65_536;
const report = (title: string, lines: number): string =>
  [
    `### ${title}`,
    "<details><summary>Plan</summary>",
    "",
    "```diff",
    ...Array.from({ length: lines }, (_, i) => `+ ${title} ${i}`),
    "```",
    "</details>",
  ].join("\n");

test("reports stand below each other as they are, empty ones not at all", () => {
  expect(joinReports([report("a", 2), "\n", report("b", 1)])).toBe(
    `${COMMENT_MARKER}\n\n${report("a", 2)}\n\n${report("b", 1)}`,
  );
});

describe("reports that are too long together", () => {
  const text = joinReports([report("long", 5_000), report("short", 3), report("longer", 9_000)]);

  test("fit", () => {
    expect(text.length).toBeLessThanOrEqual(LIMIT);
    expect(text.length).toBeGreaterThan(60_000);
  });

  test("are cut where they are long and nowhere else, and say so", () => {
    expect(text).toContain(report("short", 3));
    expect(text.match(/^\.\.\. cut: the log of this run has the whole report$/gm)).toHaveLength(2);
  });

  test("end what they began, so that the next stands by itself", () => {
    for (const part of text.split(/^### /m).slice(1)) {
      expect(part.match(/^```/gm)).toHaveLength(2);
      expect(part.trimEnd().endsWith("</details>")).toBe(true);
    }
  });

  test("keep whole lines", () => {
    for (const line of text.split("\n").filter((one) => one.startsWith("+"))) expect(line).toMatch(/^\+ \w+ \d+$/);
    expect(text).toContain("+ long 0\n");
  });
});

test("a single line that is too long is left out, and that is said", () => {
  const text = joinReports(["x".repeat(100_000), "short"]);
  expect(text).toBe(`${COMMENT_MARKER}\n\n\n... cut: the log of this run has the whole report\n\nshort`);
});
