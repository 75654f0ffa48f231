import { describe, expect, test } from "vitest";
import { environmentRules } from "../../../src/rules/environment/index.ts";
import { checkModel } from "../../../src/rules/index.ts";
import { streamRules } from "../../../src/rules/streams/index.ts";
import { modelOn, REFUSED } from "../../support/create-refusal-suite.ts";
import { modelWith, realModel } from "../../support/definitions.ts";
import type { RefusedCase } from "../../support/refused-definitions.ts";
import { environmentCases } from "./environment-cases.ts";
import { identityCases } from "./identity-cases.ts";
import { streamCases } from "./stream-cases.ts";

const cases = { ...environmentCases, ...streamCases, ...identityCases };
const rules = [...environmentRules, ...streamRules];

test("every rule has an example that breaks it", () => {
  const told = [...Object.keys(cases), ...REFUSED.map(({ code }) => code)];
  expect([...new Set(told)].sort()).toEqual(rules.map(({ code }) => code).sort());
});

test("every row of a rule has one, and the code that it names", () => {
  const rows = streamRules.flatMap(({ code, rows = [] }) => rows.map(({ what, errCode }) => ({ code, what, errCode })));
  const told = REFUSED.flatMap(({ code, row: what, says }) =>
    what === undefined ? [] : [{ code, what, errCode: Number(/\((1\d{4})\)$/.exec(says)?.[1]) || undefined }],
  );
  const byWhat = (list: readonly { code: string; what: string }[]) =>
    list.toSorted((a, b) => (`${a.code}${a.what}` < `${b.code}${b.what}` ? -1 : 1));
  expect(byWhat(told)).toEqual(byWhat(rows));
});

describe.each(REFUSED.map((one) => [one.code, one.title, one] as const))("%s %s", (code, _, one) => {
  const problems = (streams: RefusedCase["fires"]) =>
    checkModel(modelOn(one.servers ?? 1, one.version ?? "2.14.9", streams)).filter((problem) => problem.code === code);

  test("is found with its place, values and code", () => {
    const name = one.fires.at(-1)?.name;
    const found = problems(one.fires).map(({ place, says }) => `${place} ${says}`);
    expect(found).toContain(`streams/test.ts: ${name}.${one.at} ${one.says}`);
  });

  test("is not found just beside it", () => {
    expect(problems(one.quiet)).toEqual([]);
  });
});

const told = rules.filter(({ code }) => cases[code] !== undefined);
describe.each(told.map((rule) => [rule.code, rule.title] as const))("%s %s", (code) => {
  const example = cases[code];

  test("fires with its place and values", () => {
    const problems = checkModel(modelWith(example?.fires ?? {})).filter((problem) => problem.code === code);
    expect(problems.map(({ place, says }) => `${place} ${says}`)).toContain(example?.says);
  });

  test("stays quiet just beside it", () => {
    expect(checkModel(modelWith(example?.quiet ?? {})).filter((problem) => problem.code === code)).toEqual([]);
  });
});

test("codes are unique and every rule says why and what to do", () => {
  expect(new Set(rules.map(({ code }) => code)).size).toBe(rules.length);
  for (const { title, reason, hint } of rules) {
    expect(title).not.toMatch(/\.$/);
    expect(reason).toMatch(/\.$/);
    expect(hint).toMatch(/\.$/);
  }
});

describe.each(["staging", "production", "local"] as const)("the real %s", (name) => {
  test("has no error, and warnings only about how briefly messages live", () => {
    const problems = checkModel(realModel(name));
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(problems.map(({ code, place }) => `${code} ${place.replace(/^streams\//, "")}`)).toEqual([
      "S026 iot.ts: circl_iot.publishers",
      "S027 iot.ts: circl_iot_location.sources[0]",
      "S034 iot.ts: circl_iot.maxMsgs",
      "S034 iot.ts: circl_iot_location.maxMsgs",
      "S034 oms.ts: circl_oms.maxBytes",
    ]);
  });
});

test("the streams as they are today, with overlapping subjects, are refused with both names", () => {
  const location = { name: "circl_iot_location", subjects: ["circl.iot.location.>"], maxBytes: "1GiB" } as const;
  const iot = { name: "circl_iot", subjects: ["circl.iot.>"], maxBytes: "1GiB" } as const;
  const [problem] = checkModel(modelWith({ streams: [iot, location] })).filter(({ code }) => code === "S012");
  expect(problem?.says).toBe('"circl.iot.location.>" overlaps "circl.iot.>" of circl_iot (streams/test.ts) (10065)');
});
