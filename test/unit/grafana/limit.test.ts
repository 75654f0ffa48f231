import { describe, expect, test } from "vitest";
import type { Panel } from "../../../src/grafana/dashboard.ts";
import { renderDashboard } from "../../../src/grafana/json.ts";
import { limitAt, limitsOf } from "../../../src/grafana/limit.ts";
import type { Alert } from "../../../src/kubernetes/prometheus-rule.ts";

const alert = (name: string, expr: string, severity: "critical" | "warning" = "warning"): Alert => ({
  alert: name,
  expr,
  for: "1m",
  labels: { severity, environment: "production" },
  annotations: { summary: "", description: "", runbook_url: "" },
});

describe("a panel's limit", () => {
  test.each([
    ["up < 3", { bad: "below", value: 3 }],
    ["a / b > 0.85", { bad: "above", value: 0.85 }],
    ["a >= 1e9", { bad: "from", value: 1e9 }],
    ["sum(a > 5) > 100", { bad: "above", value: 100 }],
    ["a > 7 and on (pod) b > 9", { bad: "above", value: 7 }],
    ["a > 7 or b > 7", { bad: "above", value: 7 }],
    ["(count(a) or vector(0)) < 2", { bad: "below", value: 2 }],
  ] as const)("is what the alert compares with: %s", (expr, limit) => {
    expect(limitsOf([alert("Some", expr, "critical")], "Some")).toEqual([
      { alert: "Some", severity: "critical", ...limit },
    ]);
  });

  test.each(["absent(up)", "a != b", "a == 0", "a > 5 and b", "a > b"])("is never guessed: %s", (expr) => {
    expect(() => limitsOf([alert("Some", expr)], "Some")).toThrow(`alert Some ends with no comparison`);
  });

  test.each(["a > 7 or b > 9", "a >= 7 or b > 7", "a > 7 and on (pod) b < 3 or c > 8 and on (pod) d < 2"])(
    "is never one of several: %s",
    (expr) => {
      expect(() => limitsOf([alert("Some", expr)], "Some")).toThrow(
        /^alert Some compares with several figures \(.+, .+\), of which a panel can show none/,
      );
    },
  );

  test("is at both ends of a range", () => {
    expect(limitsOf([alert("Some", "a / 1e9 > 60 or a < 0")], "Some")).toEqual([
      { alert: "Some", severity: "warning", bad: "above", value: 60 },
      { alert: "Some", severity: "warning", bad: "below", value: 0 },
    ]);
  });

  test("goes with its alert", () => {
    expect(() => limitsOf([alert("Some", "a > 1")], "Other")).toThrow("there is no alert Other");
    expect(() => limitAt([], "Other", "below", 1)).toThrow("there is no alert Other");
    expect(limitAt([alert("None", "absent(up)", "critical")], "None", "below", 1)).toEqual({
      alert: "None",
      bad: "below",
      value: 1,
      severity: "critical",
    });
  });
});

describe("colours of a panel", () => {
  const stepsOf = (unit: Panel["unit"], ...exprs: readonly (readonly [string, "critical" | "warning"])[]) =>
    stepsOfPanel("up", unit, ...exprs);
  const stepsOfPanel = (
    shown: string,
    unit: Panel["unit"],
    ...exprs: readonly (readonly [string, "critical" | "warning"])[]
  ) => {
    const alerts = exprs.map(([expr, severity], i) => alert(`A${i}`, expr, severity));
    const panel: Panel = {
      kind: "stat",
      title: "How many?",
      description: "Some.",
      unit,
      queries: [{ expr: shown, legend: "servers" }],
      limits: limitsOf(alerts, ...alerts.map(({ alert }) => alert)),
    };
    const text = renderDashboard(
      { name: "x", title: "x", description: "x", series: "up", variables: [], rows: [{ title: "x", panels: [panel] }] },
      "production",
      "circl-backbone",
    );
    return JSON.parse(text).panels[1].fieldConfig.defaults.thresholds.steps;
  };

  test("are those of the severities, on the bad side of each limit", () => {
    expect(stepsOf("percentunit", ["a < 0.25", "warning"], ["a < 0.1", "critical"])).toEqual([
      { color: "red", value: null },
      { color: "orange", value: 0.1 },
      { color: "green", value: 0.25 },
    ]);
    expect(stepsOf("percentunit", ["a > 0.9", "critical"], ["a > 0.8", "warning"])).toEqual([
      { color: "green", value: null },
      { color: "orange", value: 0.8 },
      { color: "red", value: 0.9 },
    ]);
  });

  test("leave a count at its limit green where only more is bad", () => {
    expect(stepsOf("short", ["a > 0", "critical"])).toEqual([
      { color: "green", value: null },
      { color: "red", value: 1 },
    ]);
    expect(stepsOf("short", ["a >= 1", "critical"])).toEqual([
      { color: "green", value: null },
      { color: "red", value: 1 },
    ]);
  });

  test("begin at the limit itself where what is shown is no whole number", () => {
    for (const shown of ["increase(a[10m])", "sum(rate(a[10m]) and on (pod) b)", "60 * quantile(0.5, rate(a[5m]))"])
      expect(stepsOfPanel(shown, "short", ["increase(a[10m]) > 2", "warning"])).toEqual([
        { color: "green", value: null },
        { color: "orange", value: 2 },
      ]);
  });

  test("are those of the worst of several alerts with one limit", () => {
    const red = [
      { color: "green", value: null },
      { color: "red", value: 1 },
    ];
    expect(stepsOf("percentunit", ["a > 1", "warning"], ["b > 1", "critical"])).toEqual(red);
    expect(stepsOf("percentunit", ["a > 1", "critical"], ["b > 1", "warning"])).toEqual(red);
  });

  test("are green without limits, and on both sides of a range", () => {
    expect(stepsOf("short")).toEqual([{ color: "green", value: null }]);
    expect(stepsOf("short", ["a < 1", "critical"], ["a > 1", "critical"])).toEqual([
      { color: "red", value: null },
      { color: "green", value: 1 },
      { color: "red", value: 2 },
    ]);
  });
});
