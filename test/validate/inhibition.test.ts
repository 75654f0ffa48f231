/** The rules of inhibition that docs/alerts.md gives to people, in a real Alertmanager, with the labels that our alerts really have. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { cases } from "../alerts/cases.ts";
import { everything } from "../alerts/everything.ts";
import { Alertmanager, type Labels } from "../support/alertmanager.ts";
import { inhibitRules, matched } from "../support/inhibition.ts";
import { alertsIn } from "../support/promtool.ts";
import { without } from "../support/tools.ts";

const alerts = alertsIn(everything);
const names = alerts.map(({ alert }) => alert);

/** As Prometheus sends it: promtool holds the labels of each case to what the rule gives. */
function labelsOf(name: string, changes: Labels): Labels {
  const alert = alerts.find((one) => one.alert === name);
  const [first] = [cases[name]?.fires ?? []].flat();
  if (!alert || !first) throw new Error(`there is no case of ${name}`);
  const own: Record<string, string> = { alertname: name, ...alert.labels, ...first.labels };
  const missing = Object.keys(changes).filter((label) => own[label] === undefined);
  if (missing.length > 0) throw new Error(`${name} has no label ${missing.join(", ")}`);
  return { ...own, ...changes };
}

/** Two alerts at once, and whether the second is held back. */
interface Scene {
  readonly what: string;
  readonly source: Labels;
  readonly target: Labels;
  readonly silenced: boolean;
}

/** Each scene in environments of its own: a rule that did not compare them would be found here. */
const ruled: readonly Scene[] = inhibitRules.flatMap((rule, i) =>
  rule.source_matchers
    .flatMap((matcher) => matched(matcher, names))
    .flatMap((source) =>
      rule.target_matchers
        .flatMap((matcher) => matched(matcher, names))
        .flatMap((target): Scene[] => {
          const pair = `${source} and ${target}`;
          const others = (rule.equal ?? []).filter((label) => label !== "environment");
          const same = Object.fromEntries(others.map((label) => [label, "same"]));
          const scene = (what: string, silenced: boolean, differs: Labels): Scene => {
            const environment = `${i} ${pair} ${what}`;
            return {
              what: `${pair} ${what}`,
              silenced,
              source: labelsOf(source, { ...same, environment }),
              target: labelsOf(target, { ...same, environment, ...differs }),
            };
          };
          return [
            scene("of one environment", true, {}),
            scene("of two environments", false, { environment: `another than ${i} ${pair}` }),
            ...others.map((label) => scene(`with another ${label}`, false, { [label]: "another" })),
          ];
        }),
    ),
);

/** Whoever mends the one that is missing may make another start empty: that one is not whole must be heard meanwhile. */
const besideMissing: Scene = {
  what: "NatsServerMissing and NatsNotReady of one environment, of another server most likely",
  silenced: false,
  source: labelsOf("NatsServerMissing", { environment: "one missing, another not ready" }),
  target: labelsOf("NatsNotReady", { environment: "one missing, another not ready" }),
};
const scenes = [...ruled, besideMissing];

describe.skipIf(without("alertmanager"))("what silences what", () => {
  let alertmanager: Alertmanager;
  let held: { readonly active: Labels[]; readonly suppressed: Labels[] };
  beforeAll(async () => {
    alertmanager = await Alertmanager.start(inhibitRules);
    await alertmanager.fire(scenes.flatMap(({ source, target }) => [source, target]));
    // It hears of sources a moment after it has taken them.
    const expected = scenes.filter(({ silenced }) => silenced).length;
    const silenced = async () => (await alertmanager.held("suppressed")).length;
    await vi.waitFor(async () => expect(await silenced()).toBeGreaterThanOrEqual(expected), { timeout: 30_000 });
    held = { active: await alertmanager.held("active"), suppressed: await alertmanager.held("suppressed") };
  });
  afterAll(async () => {
    await alertmanager?.[Symbol.asyncDispose]();
  });

  test("there is something to say for every rule", () => {
    expect(scenes.filter(({ silenced }) => silenced).length).toBeGreaterThan(inhibitRules.length);
    expect(scenes.filter(({ silenced }) => !silenced).length).toBeGreaterThan(inhibitRules.length);
  });

  test.each(scenes)("$what: silenced $silenced", ({ source, target, silenced }) => {
    expect(held.active).toContainEqual(source);
    expect(held[silenced ? "suppressed" : "active"]).toContainEqual(target);
  });

  test("a critical alert is silenced by critical ones only", () => {
    const severity = (name: string) => alerts.find(({ alert }) => alert === name)?.labels.severity;
    const upwards = scenes.filter(
      ({ source, target }) =>
        severity(target.alertname ?? "") === "critical" && severity(source.alertname ?? "") !== "critical",
    );
    expect(upwards).toEqual([]);
  });

  test("of what breaks together somebody hears once", async () => {
    const together = Object.entries(cases).flatMap(([name, { fires }]) =>
      [fires].flat().flatMap(({ also = [] }) => (also.length > 0 ? [[name, ...also]] : [])),
    );
    expect(together.length).toBeGreaterThan(0);
    for (const [i, broken] of together.entries()) {
      const environment = `together ${i}`;
      await alertmanager.fire(broken.map((name) => labelsOf(name, { environment })));
      const heard = async () =>
        (await alertmanager.held("active"))
          .filter((labels) => labels.environment === environment)
          .map((labels) => labels.alertname);
      await expect.poll(heard, { timeout: 30_000 }).toEqual([broken[0]]);
    }
  });

  test("takes no rule that it does not understand", async () => {
    await expect(Alertmanager.start([{ source_matchers: ["alertname ="], target_matcher: [] }])).rejects.toThrow(
      /does not get ready/,
    );
  });
});
