import { describe, expect, test } from "vitest";
import { progressOn } from "../../../src/cli/output/progress.ts";

/** What is written to a terminal of so many columns. */
function terminal(columns: number) {
  const written: string[] = [];
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  return { isTTY: true, columns, write, written };
}

describe("progress of an apply", () => {
  test("on a terminal is one line that is drawn over, and gone in the end", () => {
    const stream = terminal(80);
    const { step, stop } = progressOn(stream, 2, "xterm");
    step("a", "create");
    step("b", "update");
    stop();
    stop();
    expect(stream.written).toEqual([
      `\r\x1b[K[${"=".repeat(12)}${" ".repeat(12)}] 1/2 created a`,
      `\r\x1b[K[${"=".repeat(24)}] 2/2 updated b`,
      "\r\x1b[K",
    ]);
  });

  test("is never wider than the terminal: what wraps cannot be drawn over", () => {
    const stream = terminal(39);
    progressOn(stream, 1, "xterm").step("a_name_that_is_too_long_for_this", "create");
    expect(stream.written).toEqual([`\r\x1b[K[${"=".repeat(24)}] 1/1 created`]);
  });

  test("what is said meanwhile has a line of its own, above the bar", () => {
    const stream = terminal(80);
    const { step, say } = progressOn(stream, 1, "xterm");
    say("before");
    step("a", "delete");
    say("Finishing.");
    const bar = `[${"=".repeat(24)}] 1/1 deleted a`;
    expect(stream.written).toEqual(["before\n", `\r\x1b[K${bar}`, `\r\x1b[KFinishing.\n${bar}`]);
  });

  test("has no escapes on a dumb terminal", () => {
    const stream = terminal(80);
    const { step, say, stop } = progressOn(stream, 1, "dumb");
    step("a", "recreate");
    say("Finishing.");
    stop();
    expect(stream.written).toEqual(["1/1 recreated a\n", "Finishing.\n"]);
  });
});
