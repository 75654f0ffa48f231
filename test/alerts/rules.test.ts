/** The rules as Prometheus evaluates them: each alert fires where it should, not just beside it, and none on a healthy backbone. */
import { describe, expect, test } from "vitest";
import type { Alert, Recording } from "../../src/kubernetes/prometheus-rule.ts";
import { modelWith, orders, realModel } from "../support/definitions.ts";
import { readsOf } from "../support/promql.ts";
import { alertsIn, checkRules, groupsOf, type PromtoolTest, testRules } from "../support/promtool.ts";
import { without } from "../support/tools.ts";
import { cases } from "./cases.ts";
import { everything } from "./everything.ts";
import { healthySeries } from "./healthy.ts";
import { lessStrict } from "./less-strict.ts";
import { firings, nearMisses, quietFor, testsOf } from "./scenario.ts";

const metricsOf = (expr: string): string[] => readsOf(expr).selectors.map(({ metric }) => metric);

const model = everything;
const groups = groupsOf(model);
const alerts = alertsIn(model);
const healthy = healthySeries(model);

/** Rules and series of what an alert is about: servers and Secrets share nothing, and each takes its time to evaluate. */
function sideOf(name: string) {
  const group = groups.find(({ rules }) => rules.some((rule) => "alert" in rule && rule.alert === name));
  const [own] = group?.name.split(".") ?? [];
  const others = ["nats", "tile38"].filter((job) => job !== own).map((job) => `job="${job}"`);
  return {
    groups: groups.filter((other) => other.name.startsWith(`${own}.`)),
    healthy: Object.fromEntries(
      Object.entries(healthy).filter(([series]) => !others.some((other) => series.includes(other))),
    ),
  };
}

/** Names of the recordings that something reads, and of those that these read. */
function recordingsBehind(text: string, among: typeof groups): ReadonlySet<string> {
  const all = among.flatMap(({ rules }) => rules.filter((rule): rule is Recording => "record" in rule));
  const found = new Set<string>();
  const follow = (said: string): void => {
    for (const { record, expr } of all.filter(({ record }) => said.includes(record) && !found.has(record))) {
      found.add(record);
      follow(expr);
    }
  };
  follow(text);
  return found;
}

test("every alert has a case, and every case an alert", () => {
  expect(alerts.map(({ alert }) => alert).sort()).toEqual(Object.keys(cases).sort());
});

// All at once, each waits for the others: what takes seconds alone may take a minute here.
describe.skipIf(without("promtool"))("promtool", { concurrent: true, timeout: 300_000 }, () => {
  test.each([
    ["staging", realModel("staging")],
    ["production", realModel("production")],
    ["every kind of stream", model],
    ["one server", modelWith({ environment: { nats: { servers: 1 } }, streams: [{ ...orders, replicas: 1 }] })],
    ["no streams and no followers", modelWith({ environment: { tile38: { followers: { count: 0 } } }, streams: [] })],
  ])("takes the rules of %s without a complaint", async (_, some) => {
    expect(await checkRules(groupsOf(some))).toContain("SUCCESS");
  });

  test("complains about what is wrong, so its silence means something", async () => {
    const [first] = groups;
    const broken = { ...first, name: "broken", interval: "30s", rules: [{ record: "a", expr: "sum by (" }] };
    await expect(checkRules([broken])).rejects.toThrow(/parse error/);
  });

  test.each(["staging", "production"] as const)("hears nothing from a healthy %s", async (name) => {
    const some = realModel(name);
    await testRules(groupsOf(some), [quietFor(healthySeries(some), 45)]);
  });

  test.each(alerts.map((alert) => [alert.alert, alert] as const))(
    "%s fires, and not just beside it",
    async (name, alert) => {
      const example = cases[name];
      expect(example).toBeDefined();
      if (example) await testRules(sideOf(name).groups, testsOf(alert, sideOf(name).healthy, example));
    },
  );

  // Without this a near-miss could be far away, and prove nothing.
  test.each(alerts.map((alert) => [alert.alert, alert] as const))(
    "%s a notch less strict fires just beside it, or no longer where it should",
    async (name, alert) => {
      const example = cases[name];
      const own = sideOf(name);
      const careless = lessStrict(alert, example?.step ?? "30s");
      const read = recordingsBehind(JSON.stringify(alert), own.groups);
      const groups = own.groups.map(({ rules, ...group }) => ({
        ...group,
        rules: rules.flatMap((rule): readonly (Recording | Alert)[] => {
          if ("record" in rule) return read.has(rule.record) ? [rule] : [];
          return rule.alert === name ? [rule, ...careless] : [];
        }),
      }));
      const asked = new Set(groups.flatMap(({ rules }) => rules.flatMap(({ expr }) => metricsOf(expr))));
      const onlyAsked = ({ input_series, ...rest }: PromtoolTest): PromtoolTest => ({
        ...rest,
        input_series: input_series.filter(({ series }) => asked.has(series.replace(/\{.*/s, ""))),
      });
      const firing = async (tests: readonly PromtoolTest[]) => {
        const complaints = await testRules(groups, tests.map(onlyAsked)).catch((error: Error) => error.message);
        return (rule: Alert) => complaints.includes(`alertname="${rule.alert}"`);
      };
      const calls = await firing(example ? nearMisses(alert, own.healthy, example) : []);
      // One that selects less may also find with somebody else what is missing here.
      const hears = await firing(example ? firings(own.healthy, example) : []);
      expect([calls(alert), hears(alert)]).toEqual([false, true]);
      const missed = careless.filter((rule) => !calls(rule) && hears(rule));
      expect(missed.map((rule) => `${rule.expr} for ${rule.for}`).join("\n")).toBe("");
    },
  );
});
