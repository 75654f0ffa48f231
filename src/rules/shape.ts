/** Rules about the shape of definitions; they are checked by the schemas on the way into the model. */
import leven from "leven";
import type { Fault } from "../model/fault.ts";
import { type Problem, type Rule, toProblem } from "./rule.ts";

const unknownKey = {
  severity: "error",
  title: "A key that does not exist",
  reason:
    "A misspelt setting that is silently ignored is found in an outage, not in a review: the official NATS chart accepts any " +
    "key and ignores what it does not know (nats-io/k8s#1004).",
  hint: "Remove it or spell it right.",
} as const;
const wrongValue = {
  severity: "error",
  title: "A value that is missing or of the wrong kind",
  reason:
    "What cannot be read cannot be checked: a size without its unit, a text for a number, or a setting nobody made.",
  hint: 'Durations read "30s" or "7d", sizes "512KiB" or "20GiB", rates "200/s".',
} as const;

/** `check` is empty: the schemas report these before there is a model. */
const shapeRule = (code: Rule<never>["code"], text: Omit<Rule<never>, "code" | "check">): Rule<never> => ({
  code,
  ...text,
  check: () => [],
});

export const shapeRules = {
  environments: { "unknown-key": shapeRule("E001", unknownKey), "wrong-value": shapeRule("E002", wrongValue) },
  streams: { "unknown-key": shapeRule("S001", unknownKey), "wrong-value": shapeRule("S002", wrongValue) },
} as const;

/** Faults of shape as problems, with the nearest key that would have been right. */
export const faultProblems = (faults: readonly Fault[]): Problem[] =>
  faults.map(({ room, kind, place, says, key, known }) => {
    const near = nearest(key, known);
    const hint = kind === "unknown-key" && near ? { hint: `Did you mean "${near}"?` } : {};
    return toProblem(shapeRules[room][kind], { place, says, ...hint });
  });

/** The candidate that `word` is most likely meant to be, if any is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: leven(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(2, word.length / 3) ? best.candidate : undefined;
}
