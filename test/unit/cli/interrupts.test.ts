import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { countInterrupts, type Interrupts } from "../../../src/cli/interrupts.ts";

let interrupts: Interrupts;
const said: string[] = [];
const exit = vi.fn();
beforeEach(() => {
  said.length = 0;
  exit.mockReset();
  vi.spyOn(process, "exit").mockImplementation(exit as never);
  interrupts = countInterrupts("Stopping", (text) => said.push(text));
});
afterEach(() => {
  interrupts.stop();
  vi.restoreAllMocks();
});
const send = (signal: NodeJS.Signals) => process.emit(signal, signal);

test.each([
  ["SIGINT", "SIGTERM"],
  ["SIGTERM", "SIGTERM"],
  ["SIGTERM", "SIGTERM", "SIGTERM"],
] as const)("%s and then %s stop a command, and do not end it: whoever ends a job sends both", (...signals) => {
  expect(() => interrupts.check()).not.toThrow();
  for (const signal of signals) send(signal);
  expect(exit).not.toHaveBeenCalled();
  expect(said).toEqual(["Stopping; Ctrl-C again ends at once."]);
  expect(interrupts.interrupted()).toBe(true);
  expect(() => interrupts.check()).toThrow("the same command goes on from there");
});

test.each([
  ["SIGINT", "SIGINT"],
  ["SIGTERM", "SIGINT"],
] as const)("Ctrl-C after %s ends it at once", (...signals) => {
  for (const signal of signals) send(signal);
  expect(exit.mock.calls).toEqual([[130]]);
});
