import { describe, expect, test } from "vitest";
import { collide, covers, SubjectIndex, subjectFault } from "../../../src/model/subject.ts";

describe("two patterns collide when some subject matches both", () => {
  test.each([
    ["circl.iot.>", "circl.iot.location.>", true],
    ["circl.iot.>", "circl.iot", false],
    ["circl.*.status", "circl.iot.*", true],
    ["circl.*", "circl.iot.status", false],
    [">", "anything", true],
    ["a.*.c", "a.b.d", false],
  ])("%s and %s: %s", (a, b, expected) => {
    expect(collide(a, b)).toBe(expected);
    expect(collide(b, a)).toBe(expected);
  });
});

describe("a pattern covers another when it captures all of it", () => {
  test.each([
    ["circl.iot.>", "circl.iot.location.>", true],
    ["circl.iot.location.>", "circl.iot.>", false],
    ["circl.*", "circl.>", false],
    ["circl.>", "circl", false],
    ["circl.*.a", "circl.b.a", true],
    ["circl.b.a", "circl.*.a", false],
  ])("%s over %s: %s", (outer, inner, expected) => expect(covers(outer, inner)).toBe(expected));
});

test("the index finds exactly the pairs that collide", () => {
  const tokens = ["a", "b", "*", ">"];
  const patterns = tokens
    .flatMap((first) => [
      first,
      ...tokens.flatMap((second) => [`${first}.${second}`, ...tokens.map((third) => `${first}.${second}.${third}`)]),
    ])
    .filter((pattern) => subjectFault(pattern) === undefined);
  expect(patterns.length).toBeGreaterThan(40);
  const index = new SubjectIndex<string>();
  for (const pattern of patterns) index.add(pattern, pattern);
  for (const pattern of patterns) {
    const found = index
      .colliding(pattern)
      .map(({ value }) => value)
      .sort();
    expect(found).toEqual(patterns.filter((other) => collide(pattern, other)).sort());
  }
});

test.each([
  ["", "is empty"],
  ["a..b", "has an empty token"],
  ["a.>.b", 'has ">" before its last token'],
  ["a.b*", 'has a wildcard inside the token "b*"'],
  ["a b", "contains white space"],
])("%j is no subject: it %s", (subject, fault) => expect(subjectFault(subject)).toContain(fault));
